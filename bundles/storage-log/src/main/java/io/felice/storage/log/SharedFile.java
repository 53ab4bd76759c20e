package io.felice.storage.log;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of one segment. The file is opened when a thread uses it; {@link OpenFiles} closes unused files when too
 * many are open.
 *
 * <p>Thread-safe. A thread uses the file between {@link #enter} and {@link #leave}, or while it holds a {@link Pin};
 * the channel stays open meanwhile. A retired file is closed by its last user. The monitor guards the users and is
 * taken after all other locks. Opening a file may take long and has its own lock.
 */
final class SharedFile {
    private static final Logger LOG = LoggerFactory.getLogger(SharedFile.class);

    private final LogResources shared;
    private final Supplier<Path> path;
    private final Object opening = new Object();

    private volatile FileChannel channel;
    private volatile long lastUsed;
    private boolean usedSinceSweep;
    private final Set<Pin> pins = new HashSet<>();
    private int users;
    private volatile boolean retired;

    /** @param path the file's current path, which changes when the log's directory is renamed */
    SharedFile(LogResources shared, Supplier<Path> path) {
        this.shared = shared;
        this.path = path;
    }

    synchronized void enter() {
        users++;
        usedSinceSweep = true;
        lastUsed = shared.openFiles().now();
    }

    synchronized void leave() {
        users--;
        notifyAll();
        if (retired && users == 0) {
            close();
        }
    }

    /** Counts the pin as a user of the file until {@link Pin#run} is called. */
    synchronized void enter(Pin pin) {
        enter();
        pins.add(pin);
    }

    private synchronized void leave(Pin pin) {
        if (pins.remove(pin)) {
            shared.counters().pinnedBytes.add(-pin.bytes);
            leave();
        }
    }

    private synchronized void narrowed() {
        notifyAll();
    }

    /** Waits until no pin holds bytes above a position; false if a pin still does after so many milliseconds. */
    synchronized boolean awaitPinsBelow(long position, long millis) throws InterruptedException {
        long deadline = System.nanoTime() + millis * 1_000_000;
        while (pins.stream().anyMatch(pin -> pin.end > position)) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }

    /** Opens the file if it is closed; with {@code create}, a missing file is created. */
    FileChannel channel(boolean create) throws IOException {
        FileChannel open = channel;
        return open != null ? open : open(create);
    }

    private FileChannel open(boolean create) throws IOException {
        synchronized (opening) {
            if (channel == null) {
                if (retired) {
                    throw new ClosedChannelException();
                }
                channel = shared.files().open(path.get(), create);
                shared.openFiles().opened(this);
            }
            return channel;
        }
    }

    /** Gives the file another name, or says that it has one; nobody opens it meanwhile. */
    void rename(FileChange rename) throws IOException {
        synchronized (opening) {
            rename.run();
        }
    }

    /** The value of {@link OpenFiles#now} when the file was used last. */
    long lastUsed() {
        return lastUsed;
    }

    synchronized void closeIfUnused() {
        if (users == 0) {
            close();
        }
    }

    /** Closes the file if nobody used it since the last call; true if it is closed. */
    synchronized boolean closeIfIdle() {
        if (usedSinceSweep || users > 0) {
            usedSinceSweep = false;
            return false;
        }
        close();
        return true;
    }

    /** The file is no longer part of the log. It is not opened any more, as its name may soon be that of another file. */
    void retire() {
        synchronized (opening) {
            retired = true;
        }
        closeIfUnused();
    }

    boolean isRetired() {
        return retired;
    }

    private void close() {
        FileChannel closing = channel;
        if (closing != null) {
            channel = null;
            shared.openFiles().closed(this);
            try {
                closing.close();
            } catch (IOException failure) {
                LOG.warn("{} could not be closed: {}", path.get(), failure.toString());
            }
        }
    }

    /** Keeps a range of the file open and untruncated for a reader; the whole file until {@link #narrow} is called. */
    static final class Pin implements Runnable {
        final SegmentFile segment;
        /** How many bytes of the file could be read when the pin was made. */
        final long readable;

        /** The offset after the last batch in those bytes. */
        final long next;

        private final SharedFile file;
        private volatile long end = Long.MAX_VALUE;
        private int bytes;

        Pin(SegmentFile segment, long readable, long next) {
            this.segment = segment;
            this.file = segment.file;
            this.readable = readable;
            this.next = next;
        }

        void narrow(long from, int length) {
            end = from + length;
            bytes = length;
            file.shared.counters().pinnedBytes.add(length);
            file.narrowed();
        }

        @Override
        public void run() {
            file.leave(this);
        }
    }
}
