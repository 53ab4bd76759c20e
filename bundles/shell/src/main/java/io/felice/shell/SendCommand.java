package io.felice.shell;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;

/** The client of a {@link CommandSocket}: a program that sends one line and prints the answer. */
public final class SendCommand {

    private static final int FAILED = 1;
    private static final int UNREACHABLE = 5;

    private SendCommand() {}

    /**
     * Exits with 0 after success, with 1 if the command failed, and with 5 if the node does not answer.
     *
     * @param arguments the socket's path, then the words of the line
     */
    public static void main(String[] arguments) {
        Path file = Path.of(arguments[0]);
        String line = String.join(" ", Arrays.copyOfRange(arguments, 1, arguments.length));
        System.exit(send(file, line, System.out));
    }

    /**
     * Sends a line to the node whose socket this is and copies what the command prints.
     *
     * @return the exit code
     */
    public static int send(Path file, String line, OutputStream output) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(file))) {
            channel.write(ByteBuffer.wrap(line.getBytes(UTF_8)));
            channel.shutdownOutput();
            return copy(Channels.newInputStream(channel), output);
        } catch (IOException e) {
            System.err.println("The node accepts no commands through " + file + ": " + e.getMessage());
            return UNREACHABLE;
        }
    }

    private static int copy(InputStream answer, OutputStream output) throws IOException {
        byte[] buffer = new byte[8192];
        int length;
        while ((length = answer.read(buffer)) >= 0) {
            int end = indexOfEnd(buffer, length);
            output.write(buffer, 0, end);
            output.flush();
            if (end < length) {
                int verdict = end + 1 < length ? buffer[end + 1] : answer.read();
                return verdict == '0' ? 0 : FAILED;
            }
        }
        throw new IOException("the connection was closed before the end of the answer");
    }

    private static int indexOfEnd(byte[] buffer, int length) {
        int i = 0;
        while (i < length && buffer[i] != CommandSocket.END_OF_OUTPUT) {
            i++;
        }
        return i;
    }
}
