package io.felice.console;

import io.felice.console.http.ApiRequest;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files that were uploaded and checked, until they are installed or 15 minutes are over. Any thread. */
final class Uploads {
    private static final int MOST = 8;
    private static final int TOKEN_BYTES = 16;
    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(15);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,199}\\.(jar|zip|kar)");

    private final LongSupplier mostBytes;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Upload> all = new ConcurrentHashMap<>();

    Uploads(LongSupplier mostBytes) {
        this.mostBytes = mostBytes;
    }

    record Upload(String token, Path file, long at) {}

    /** Writes the body of a request to a file. */
    Upload take(ApiRequest request) throws IOException {
        String name = request.http().getHeader("X-File-Name");
        if (name == null || !NAME.matcher(name).matches()) {
            throw Problem.invalid(
                    "The header X-File-Name is the name of a .jar, .zip or .kar file, of letters, digits, dots,"
                            + " dashes and underscores.");
        }
        forgetOld();
        if (all.size() >= MOST) {
            throw Problem.of(429, "too-many-requests", "Too many files are uploaded. Install or wait for 15 minutes.");
        }
        Path directory = Files.createTempDirectory("felice-upload-");
        Path file = directory.resolve(name);
        try (OutputStream out = Files.newOutputStream(file)) {
            copy(request.http().getInputStream(), out, mostBytes.getAsLong());
        } catch (IOException | RuntimeException failure) {
            delete(directory);
            throw failure;
        }
        Upload upload = new Upload(token(), file, System.nanoTime());
        all.put(upload.token(), upload);
        return upload;
    }

    private static void copy(InputStream in, OutputStream out, long most) throws IOException {
        byte[] buffer = new byte[64 * 1024];
        long left = most;
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            left -= read;
            if (left < 0) {
                throw Problem.of(413, "body-too-large", "The file has more than " + most + " bytes.");
            }
            out.write(buffer, 0, read);
        }
    }

    private String token() {
        byte[] token = new byte[TOKEN_BYTES];
        random.nextBytes(token);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
    }

    Upload find(String token) {
        forgetOld();
        Upload upload = token == null ? null : all.get(token);
        if (upload == null) {
            throw Problem.notFound("The file was not uploaded, or too long ago. Upload it again.");
        }
        return upload;
    }

    void forget(Upload upload) {
        if (all.remove(upload.token()) != null) {
            delete(upload.file().getParent());
        }
    }

    private void forgetOld() {
        long now = System.nanoTime();
        all.values().stream()
                .filter(each -> now - each.at() > LONGEST_NANOS)
                .toList()
                .forEach(this::forget);
    }

    void close() {
        all.values().forEach(this::forget);
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(directory);
        } catch (IOException left) {
            throw new UncheckedIOException(left);
        }
    }
}
