package org.example.felice;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.security.CredentialStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The users of the mechanism PLAIN, from a file with a line {@code USER:ITERATIONS:SALT:HASH} for each. The hash is
 * PBKDF2 with HMAC-SHA-512 (RFC 8018), salt and hash are in Base64. Lines that begin with {@code #} are comments.
 *
 * <p>Each call looks whether the file has changed. If it is missing, cannot be read, or has a line that is wrong, every
 * password is refused: the exception says why, and Felice logs it.
 */
@Component(property = CredentialStore.NAME + "=file", configurationPid = "org.example.felice.passwords")
@Designate(ocd = PasswordFile.Config.class)
public final class PasswordFile implements CredentialStore {
    @ObjectClassDefinition(name = "Passwords in a file", description = "Who the users of the mechanism PLAIN are.")
    public @interface Config {
        @AttributeDefinition(description = "The file with the users. Empty: nobody can log in.")
        String file() default "";
    }

    private static final Pattern LINE = Pattern.compile("(.+):(\\d{1,9}):([^:]+):([^:]+)");
    private static final long MOST_BYTES = 16 << 20;
    private static final int ITERATIONS = 10_000;
    private static final int LEAST_ITERATIONS = 1_000;
    private static final int MOST_ITERATIONS = 1_000_000;
    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 64;

    private final Path file;
    private Stamp stamp;
    private Map<String, Hash> users = Map.of();

    @Activate
    public PasswordFile(Config config) {
        file = Path.of(config.file());
    }

    @Override
    public boolean hasPassword(String user, byte[] password) {
        Map<String, Hash> now = users();
        Hash known = now.get(user);
        Hash compared = known != null ? known : Hash.ofNobody(now);
        char[] characters = characters(password);
        try {
            return compared.isOf(characters) && known != null;
        } finally {
            Arrays.fill(characters, '\0');
        }
    }

    private synchronized Map<String, Hash> users() {
        try {
            Stamp found = Stamp.of(file);
            if (!found.equals(stamp)) {
                stamp = null;
                users = read();
                stamp = found;
            }
            return users;
        } catch (IOException | IllegalArgumentException failure) {
            throw new IllegalStateException("Nobody can log in: the file \"" + file + "\" cannot be used", failure);
        }
    }

    private Map<String, Hash> read() throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException("it has more than " + MOST_BYTES + " bytes");
        }
        Map<String, Hash> read = new HashMap<>();
        List<String> lines = Files.readAllLines(file);
        for (int number = 1; number <= lines.size(); number++) {
            String line = lines.get(number - 1);
            if (!line.isBlank() && !line.startsWith("#")) {
                add(line, number, read);
            }
        }
        return read;
    }

    private static void add(String line, int number, Map<String, Hash> read) {
        Matcher parts = LINE.matcher(line);
        if (!parts.matches()) {
            throw new IllegalArgumentException("line " + number + " is not USER:ITERATIONS:SALT:HASH");
        }
        Base64.Decoder base64 = Base64.getDecoder();
        Hash hash = new Hash(
                Integer.parseInt(parts.group(2)), base64.decode(parts.group(3)), base64.decode(parts.group(4)));
        if (!hash.isSound()) {
            throw new IllegalArgumentException("line " + number + " has no sound hash");
        } else if (read.put(parts.group(1), hash) != null) {
            throw new IllegalArgumentException("line " + number + " has a user whom a line above has already");
        }
    }

    /** Two files with the same stamp have the same content. */
    private record Stamp(Object modified, long size, Object key) {
        static Stamp of(Path file) throws IOException {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
        }
    }

    private record Hash(int iterations, byte[] salt, byte[] hash) {
        static Hash of(char[] password, int iterations) {
            byte[] salt = new byte[SALT_BYTES];
            new SecureRandom().nextBytes(salt);
            return new Hash(iterations, salt, compute(password, salt, iterations));
        }

        /** Comparing with it takes as long as comparing with the hash of a user. */
        static Hash ofNobody(Map<String, Hash> users) {
            int iterations =
                    users.values().stream().mapToInt(Hash::iterations).max().orElse(ITERATIONS);
            return new Hash(iterations, new byte[SALT_BYTES], new byte[HASH_BYTES]);
        }

        /** Hashes of another length are refused: two empty ones would be equal, whatever the password. */
        boolean isSound() {
            return iterations >= LEAST_ITERATIONS
                    && iterations <= MOST_ITERATIONS
                    && salt.length >= SALT_BYTES
                    && hash.length == HASH_BYTES;
        }

        boolean isOf(char[] password) {
            return password.length > 0 && MessageDigest.isEqual(hash, compute(password, salt, iterations));
        }

        private static byte[] compute(char[] password, byte[] salt, int iterations) {
            PBEKeySpec spec = new PBEKeySpec(password, salt, iterations, HASH_BYTES * Byte.SIZE);
            try {
                return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                        .generateSecret(spec)
                        .getEncoded();
            } catch (GeneralSecurityException failure) {
                throw new IllegalStateException(failure);
            } finally {
                spec.clearPassword();
            }
        }
    }

    /**
     * The characters of a password. None for what cannot be one: bytes that are not UTF-8, or a NUL, which HMAC does not
     * see at the end.
     */
    private static char[] characters(byte[] utf8) {
        try {
            CharBuffer decoded = UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8));
            char[] characters = Arrays.copyOf(decoded.array(), decoded.length());
            Arrays.fill(decoded.array(), '\0');
            return CharBuffer.wrap(characters).chars().anyMatch(each -> each == 0) ? new char[0] : characters;
        } catch (CharacterCodingException malformed) {
            return new char[0];
        }
    }

    /** Prints the line of a user. The password is the first line of the input. */
    public static void main(String[] arguments) throws IOException {
        String password = new String(System.in.readAllBytes(), UTF_8).lines().findFirst().orElse("");
        if (arguments.length != 1 || password.isEmpty()) {
            throw new IllegalArgumentException("Usage: PasswordFile USER, with the password as input");
        }
        System.out.println(line(arguments[0], password.toCharArray(), ITERATIONS));
    }

    static String line(String user, char[] password, int iterations) {
        Hash hash = Hash.of(password, iterations);
        Base64.Encoder base64 = Base64.getEncoder();
        return user + ":" + iterations + ":" + base64.encodeToString(hash.salt()) + ":"
                + base64.encodeToString(hash.hash());
    }
}
