package io.felice.storage.mvstore;

import io.felice.api.storage.Volume;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.h2.store.fs.FileBaseDefault;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;

/** A disk that fills up, breaks, stops altogether after so many writes, or loses power. For one directory. */
public final class FaultyDisk extends FilePathWrapper {
    static final String SCHEME = "faulty";

    private static final Map<Path, State> STATES = new ConcurrentHashMap<>();
    private static final int NEVER = Integer.MAX_VALUE;
    private static final int BLOCK = 4096;

    static {
        FilePath.register(new FaultyDisk());
    }

    /** For MVStore. */
    public FaultyDisk() {}

    /** The faults of one directory. */
    static final class State {
        private final Path directory;
        private long capacity = Long.MAX_VALUE;
        private int writesLeft = NEVER;
        private boolean fsyncFails;
        private String unreadable;
        private final List<Written> unsynced = new ArrayList<>();
        private int writes;

        private State(Path directory) {
            this.directory = directory;
        }

        /** What MVStore has to put before the paths of its files. */
        String prefix() {
            return SCHEME + ":";
        }

        /** The disk has so many bytes. */
        synchronized void fillUpAt(long bytes) {
            capacity = bytes;
        }

        /** After so many more writes nothing changes any more; the write that the disk stops at is half done. */
        synchronized void stopAfter(int count) {
            writesLeft = count;
        }

        synchronized int writes() {
            return writes;
        }

        synchronized void breakFsync() {
            fsyncFails = true;
        }

        synchronized void breakReads(String part) {
            unreadable = part;
        }

        synchronized void heal() {
            capacity = Long.MAX_VALUE;
            writesLeft = NEVER;
            fsyncFails = false;
            unreadable = null;
        }

        Volume volume() {
            long total = capacity == Long.MAX_VALUE ? 1L << 40 : capacity;
            return new Volume("faulty:", total, Math.max(0, total - used()));
        }

        private long used() {
            try (Stream<Path> files = Files.list(directory)) {
                return files.mapToLong(State::sizeOf).sum();
            } catch (IOException none) {
                return 0;
            }
        }

        private static long sizeOf(Path file) {
            try {
                return Files.size(file);
            } catch (IOException gone) {
                return 0;
            }
        }

        private synchronized int write(Path path, FileChannel to, ByteBuffer source, long at) throws IOException {
            int size = source.remaining();
            if (writesLeft <= 0) {
                writesLeft = writesLeft == 0 ? -1 : writesLeft;
                throw new IOException("The disk has stopped");
            }
            writesLeft = writesLeft == NEVER ? NEVER : writesLeft - 1;
            long growth = Math.max(0, at + size - to.size());
            boolean full = capacity != Long.MAX_VALUE && growth > Math.max(0, capacity - used());
            if (writesLeft == 0 || full) {
                ByteBuffer half = source.duplicate().limit(source.position() + size / 2);
                writeAll(path, to, half, at);
                throw new IOException(full ? "No space left on device" : "The disk has stopped");
            }
            writes++;
            writeAll(path, to, source, at);
            return size;
        }

        private void writeAll(Path path, FileChannel to, ByteBuffer source, long at) throws IOException {
            ByteBuffer before = ByteBuffer.allocate(source.remaining());
            to.read(before, at);
            unsynced.add(new Written(path, at, before.array()));
            long next = at;
            while (source.hasRemaining()) {
                next += to.write(source, next);
            }
        }

        private synchronized void read(Path path) throws IOException {
            if (unreadable != null && path.toString().contains(unreadable)) {
                throw new IOException("Input/output error");
            }
        }

        private synchronized void fsync(Path path, FileChannel channel) throws IOException {
            if (writesLeft <= 0) {
                throw new IOException("The disk has stopped");
            }
            if (fsyncFails) {
                throw new IOException("Input/output error");
            }
            channel.force(true);
            Path now = name(path);
            unsynced.removeIf(written -> name(written.path).equals(now));
        }

        /** The name that a file has, also if it was opened under another. */
        private static Path name(Path path) {
            String name = path.getFileName().toString();
            return path.resolveSibling(name.endsWith(".new") ? name.substring(0, name.length() - 4) : name);
        }

        /** Takes from a copy of the directory what no fsync brought to the disk: some blocks of it got there, some not. */
        synchronized void cutPower(Path copy, Random random) throws IOException {
            Files.writeString(copy.resolve(".running"), "another boot");
            double loss = random.nextDouble();
            for (Written written : unsynced) {
                Path file = copy.resolve(name(written.path).getFileName());
                if (!Files.exists(file)) {
                    continue;
                }
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    for (int from = 0; from < written.before.length; from += BLOCK) {
                        int size = Math.min(written.before.length - from, BLOCK);
                        if (random.nextDouble() < loss && written.at + from + size <= channel.size()) {
                            channel.write(ByteBuffer.wrap(written.before, from, size), written.at + from);
                        }
                    }
                }
            }
        }

        /** A write that no fsync brought to the disk, and what was there before. */
        private record Written(Path path, long at, byte[] before) {}
    }

    static State at(Path directory) {
        return STATES.computeIfAbsent(directory.toAbsolutePath().normalize(), State::new);
    }

    static void forget(Path directory) {
        STATES.remove(directory.toAbsolutePath().normalize());
    }

    @Override
    public String getScheme() {
        return SCHEME;
    }

    @Override
    public FileChannel open(String mode) throws IOException {
        Path path = Path.of(getBase().toString());
        State state = STATES.entrySet().stream()
                .filter(entry -> path.startsWith(entry.getKey()))
                .max(Comparator.comparing(entry -> entry.getKey().getNameCount()))
                .map(Map.Entry::getValue)
                .orElseThrow();
        return new Channel(path, state, super.open(mode));
    }

    private static final class Channel extends FileBaseDefault {
        private final Path path;
        private final State state;
        private final FileChannel base;

        Channel(Path path, State state, FileChannel base) {
            this.path = path;
            this.state = state;
            this.base = base;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            state.read(path);
            return base.read(target, position);
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            return state.write(path, base, source, position);
        }

        @Override
        public long size() throws IOException {
            return base.size();
        }

        @Override
        protected void implTruncate(long size) throws IOException {
            base.truncate(size);
        }

        @Override
        public void force(boolean metaData) throws IOException {
            state.fsync(path, base);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            base.close();
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) throws IOException {
            return base.tryLock(position, size, shared);
        }
    }
}
