package io.felice.replication;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;

/**
 * The settings together with the times of their files. Connections that were made with another identity are made anew,
 * so that a changed password or certificate is used without a restart.
 */
record PeerIdentity(PeerSettings settings, List<FileTime> files) {
    private static final FileTime MISSING = FileTime.fromMillis(0);

    /** Blocks: asks the file system. */
    static PeerIdentity of(PeerSettings settings) {
        return new PeerIdentity(
                settings,
                Stream.of(
                                settings.passwordFile(),
                                settings.trustStore(),
                                settings.keyStore(),
                                fileOf(settings.trustStorePassword()),
                                fileOf(settings.keyStorePassword()),
                                fileOf(settings.keyPassword()))
                        .map(PeerIdentity::changed)
                        .toList());
    }

    private static String fileOf(String password) {
        return password.startsWith("file:") ? password.substring("file:".length()) : "";
    }

    private static FileTime changed(String file) {
        try {
            return file.isEmpty() ? MISSING : Files.getLastModifiedTime(Path.of(file));
        } catch (IOException missing) {
            return MISSING;
        }
    }
}
