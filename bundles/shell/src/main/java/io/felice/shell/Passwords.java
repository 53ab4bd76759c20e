package io.felice.shell;

import io.felice.shell.text.RandomPassword;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.karaf.shell.api.console.Session;

/** Gets the password of a command: from a file, from the terminal, or a random one that is shown once. */
final class Passwords {
    /**
     * @param text in UTF-8
     * @param isRandom true if nobody knows it yet
     */
    record Password(byte[] text, boolean isRandom) {
        /** What the command says at its end. */
        String sentence(String shown) {
            return isRandom ? "Its password is " + shown + " - it is not shown again." : "";
        }
    }

    private Passwords() {}

    /**
     * @param file null if none was named
     * @param wantsRandom true if nobody is to be asked
     */
    static Password read(String file, boolean wantsRandom, Session session) throws IOException {
        if (file != null) {
            return new Password(withoutLineEnd(Files.readAllBytes(Path.of(file))), false);
        }
        if (wantsRandom || session == null || session.getTerminal() == null) {
            return new Password(RandomPassword.make().getBytes(StandardCharsets.UTF_8), true);
        }
        String first = session.readLine("Password: ", '*');
        if (!first.equals(session.readLine("Again: ", '*'))) {
            throw new IllegalArgumentException("The two passwords differ. Nothing was changed.");
        }
        return new Password(first.getBytes(StandardCharsets.UTF_8), false);
    }

    private static byte[] withoutLineEnd(byte[] bytes) {
        int length = bytes.length;
        while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
            length--;
        }
        return Arrays.copyOf(bytes, length);
    }
}
