package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Copies store files as they are after one commit. Files are only appended to, so that all but their first blocks can be
 * copied while the logs go on.
 */
final class StoreBackup {
    /** MVStore writes these bytes of a file again and again. */
    private static final int HEADER_BYTES = 8_192;

    private static final int CHUNK_BYTES = 1 << 20;

    private final Path from;
    private final Path to;

    StoreBackup(Path from, Path to) {
        this.from = from;
        this.to = to;
    }

    /** A file as it was after a commit. */
    record Frozen(StoreFile file, long length, ByteBuffer header) {
        /** Between two commits: by the shard's thread only. The file is entered. */
        static Frozen of(StoreFile file) throws IOException {
            ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
            try (FileChannel channel = FileChannel.open(file.path(), StandardOpenOption.READ)) {
                while (header.hasRemaining() && channel.read(header, header.position()) > 0) {}
                return new Frozen(file, channel.size(), header.flip());
            }
        }
    }

    /** @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the directory cannot be used */
    void mustBePossible() {
        if (!to.isAbsolute()) {
            throw KAFKA_STORAGE_ERROR.because("the directory of a backup must be an absolute path, not " + to);
        }
        try {
            Files.createDirectories(to);
            try (Stream<Path> entries = Files.list(to)) {
                if (entries.findAny().isPresent()) {
                    throw KAFKA_STORAGE_ERROR.because("the directory " + to + " is not empty");
                }
            }
        } catch (FileAlreadyExistsException file) {
            throw KAFKA_STORAGE_ERROR.because(to + " is a file, not a directory", file);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because("the directory " + to + " cannot be made: " + failure, failure);
        }
    }

    /** Copies the files of the shards; the last file of a backup that is whole is {@link StoreDirectory#PROPERTIES}. */
    String run(List<StoreShard> shards, StoreWork work) throws IOException {
        List<Frozen> files = new ArrayList<>();
        try {
            for (StoreShard shard : shards) {
                files.addAll(shard.freeze());
            }
            files.forEach(file -> work.expect(file.length()));
            for (Frozen file : files) {
                copy(file, work);
            }
        } finally {
            files.forEach(file -> file.file().leave());
        }
        copyProperties();
        return files.size() + " store files with " + work.doneBytes() + " bytes were copied to " + to;
    }

    private void copy(Frozen file, StoreWork work) throws IOException {
        Path target = to.resolve(file.file().path().getFileName());
        try (FileChannel source = FileChannel.open(file.file().path(), StandardOpenOption.READ);
                FileChannel copy = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            copy.write(file.header().duplicate());
            long at = file.header().remaining();
            work.add(at);
            while (at < file.length()) {
                work.mustGoOn();
                long moved = source.transferTo(at, Math.min(CHUNK_BYTES, file.length() - at), copy);
                if (moved <= 0) {
                    throw new IOException(file.file() + " ends at " + at);
                }
                at += moved;
                work.add(moved);
            }
            copy.force(true);
        }
    }

    private void copyProperties() throws IOException {
        Path target = to.resolve(StoreDirectory.PROPERTIES);
        Files.copy(from.resolve(StoreDirectory.PROPERTIES), target);
        for (Path written : List.of(target, to)) {
            try (FileChannel channel = FileChannel.open(written, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
