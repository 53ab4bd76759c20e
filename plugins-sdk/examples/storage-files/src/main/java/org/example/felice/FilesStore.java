package org.example.felice;

import io.felice.api.storage.BatchStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A directory with a file for each number. A file is written as a draft and renamed, so that a kill leaves no half. */
record FilesStore(Path directory) implements BatchStore {
    private static final String DRAFT = "draft";

    static Set<String> filesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        } catch (NoSuchFileException empty) {
            return Set.of();
        }
    }

    @Override
    public void put(long number, ByteBuffer value) throws IOException {
        byte[] bytes = new byte[value.remaining()];
        value.get(bytes);
        Files.move(Files.write(directory.resolve(DRAFT), bytes), file(number), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public ByteBuffer get(long number) throws IOException {
        try {
            return ByteBuffer.wrap(Files.readAllBytes(file(number)));
        } catch (NoSuchFileException none) {
            return null;
        }
    }

    @Override
    public void delete(long number) throws IOException {
        Files.deleteIfExists(file(number));
    }

    @Override
    public List<Long> numbers() throws IOException {
        return filesIn(directory).stream().filter(name -> !name.equals(DRAFT)).map(Long::valueOf).toList();
    }

    @Override
    public void drop() throws IOException {
        for (String name : filesIn(directory)) {
            Files.deleteIfExists(directory.resolve(name));
        }
        Files.deleteIfExists(directory);
    }

    private Path file(long number) {
        return directory.resolve(Long.toString(number));
    }
}
