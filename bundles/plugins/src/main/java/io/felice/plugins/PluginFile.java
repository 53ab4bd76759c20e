package io.felice.plugins;

import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginCheck.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file in {@code plugins/} as it was read.
 *
 * @param look how it looked when it was read
 * @param archive empty if it cannot be read as a plugin
 * @param findings what is wrong with the file itself: it cannot be read, or its checksum does not fit
 */
record PluginFile(Path path, Look look, Optional<PluginArchive> archive, List<Finding> findings) {
    static final String CHECKSUM = ".sha256";

    private static final List<String> ENDINGS = List.of(".jar", ".zip", ".kar");
    private static final Pattern SHA_256 = Pattern.compile("\\b[0-9a-fA-F]{64}\\b");
    private static final int MAX_CHECKSUM_BYTES = 4096;

    /** What of a file tells that somebody writes to it, or has. */
    record Look(long bytes, long modifiedMs, String key, boolean isReadable, long checksumModifiedMs) {
        static Look at(Path file) throws IOException {
            BasicFileAttributes seen = Files.readAttributes(file, BasicFileAttributes.class);
            Path checksum = checksumOf(file);
            return new Look(
                    seen.size(),
                    seen.lastModifiedTime().toMillis(),
                    String.valueOf(seen.fileKey()),
                    Files.isReadable(file),
                    Files.exists(checksum) ? Files.getLastModifiedTime(checksum).toMillis() : 0);
        }

        /** True if nobody has written to the file for some time. */
        boolean isOlderThan(long ageMs, long nowMs) {
            return nowMs - Math.max(modifiedMs, checksumModifiedMs) > ageMs;
        }
    }

    /** Whether a file of this name is looked at. Names that begin with a dot are for files that are being copied. */
    static boolean isPlugin(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return !name.startsWith(".") && ENDINGS.stream().anyMatch(name::endsWith) && Files.isRegularFile(file);
    }

    static Path checksumOf(Path file) {
        return file.resolveSibling(file.getFileName() + CHECKSUM);
    }

    /** What is wrong with the checksum beside a file; nothing if there is none. */
    static List<Finding> checksumFindings(Path file, String sha256) {
        Path checksum = checksumOf(file);
        if (!Files.exists(checksum)) {
            return List.of();
        }
        try {
            if (Files.size(checksum) > MAX_CHECKSUM_BYTES) {
                throw new IOException("it is larger than " + MAX_CHECKSUM_BYTES + " bytes");
            }
            String text = Files.readString(checksum);
            Matcher wanted = SHA_256.matcher(text);
            if (!wanted.find()) {
                throw new IOException("it has no SHA-256: 64 hexadecimal digits");
            }
            return wanted.group().equalsIgnoreCase(sha256)
                    ? List.of()
                    : List.of(new Finding(
                            true,
                            "Its checksum is not that of " + checksum.getFileName()
                                    + ": it was changed, or is of another version.",
                            "SHA-256 " + sha256));
        } catch (IOException unreadable) {
            return List.of(new Finding(
                    true, "Its checksum file " + checksum.getFileName() + " cannot be read.", unreadable.toString()));
        }
    }

    String fileName() {
        return path.getFileName().toString();
    }

    boolean isReadable() {
        return archive.isPresent() && findings.isEmpty();
    }

    /** Why it is not readable. */
    String refusal() {
        return new PluginCheck("", "", List.of(), List.of(), "", findings).refusal();
    }

    /** Empty if it cannot be read as a plugin. */
    String sha256() {
        return archive.map(PluginArchive::sha256).orElse("");
    }

    /** Two files with the same key have the same outcome. */
    String key() {
        return sha256() + findings;
    }
}
