package io.felice.storage.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** File operations of a disk that is full, fails, or stops after a number of changes. */
final class FaultyFiles extends DiskFiles {
    private static final int NEVER = Integer.MAX_VALUE;

    private volatile String fullFor;
    private volatile String brokenFsyncFor;
    private volatile String unreadable;
    private volatile String brokenTruncationFor;
    private volatile RuntimeException truncationFailure;
    private int changesLeft = NEVER;
    /** Which bytes of each segment file were written since its last fsync, failed or not. */
    private final Map<Path, BitSet> inMemory = new HashMap<>();

    /** Which bytes of each segment file survive a power cut. */
    private final Map<Path, BitSet> onDisk = new HashMap<>();
    /** Contents of files that were deleted since the last fsync of their directory. */
    private final Map<Path, byte[]> deleted = new HashMap<>();
    /** What was renamed since the last fsync of its directory. */
    private final List<Renamed> renamed = new ArrayList<>();

    /** @param before what had the name before; null if nothing did */
    private record Renamed(Path from, Path to, byte[] before) {
        void undo() throws IOException {
            if (Files.exists(to)) {
                Files.move(to, from);
            }
            if (before != null) {
                Files.write(to, before);
            }
        }
    }

    /** From now on files whose path contains {@code part} can be deleted but not written. */
    void fillUp(String part) {
        fullFor = part;
    }

    void breakFsync(String part) {
        brokenFsyncFor = part;
    }

    void breakReads(String part) {
        unreadable = part;
    }

    /** From now on a truncation of a file whose path contains {@code part} throws {@code why}. */
    void breakTruncation(String part, RuntimeException why) {
        truncationFailure = why;
        brokenTruncationFor = part;
    }

    void heal() {
        brokenTruncationFor = null;
        fullFor = null;
        brokenFsyncFor = null;
        unreadable = null;
    }

    /**
     * Replaces the bytes of segment files that were not flushed by zeros. Restores deleted files and the names of renamed
     * files whose directory was not flushed.
     */
    void cutPower() throws IOException {
        cutPower(PowerCut.LOSES_ALL);
    }

    /** What a power cut takes of the changes of names that no fsync of their directory has covered. */
    enum PowerCut {
        LOSES_ALL,
        LOSES_RENAMES,
        LOSES_DELETIONS
    }

    synchronized void cutPower(PowerCut cut) throws IOException {
        for (int i = renamed.size() - 1; cut != PowerCut.LOSES_DELETIONS && i >= 0; i--) {
            renamed.get(i).undo();
        }
        for (var file : deleted.entrySet()) {
            if (cut != PowerCut.LOSES_RENAMES && Files.isDirectory(file.getKey().getParent())) {
                Files.write(file.getKey(), file.getValue());
            }
        }
        onDisk.keySet().removeIf(file -> !Files.exists(file));
        for (var file : onDisk.entrySet()) {
            byte[] bytes = Files.readAllBytes(file.getKey());
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = file.getValue().get(i) ? bytes[i] : 0;
            }
            Files.write(file.getKey(), bytes);
        }
    }

    /** After this many more changes all changes fail. If the last one is a write, half of its bytes are written. */
    synchronized void stopAfter(int changes) {
        changesLeft = changes;
    }

    private final java.util.Map<FileChannel, Path> paths = new java.util.concurrent.ConcurrentHashMap<>();

    @Override
    FileChannel open(Path file, boolean create) throws IOException {
        if (create && !Files.exists(file)) {
            change();
            mustHaveSpace(file);
        }
        FileChannel channel = super.open(file, create);
        paths.put(channel, file);
        return channel;
    }

    @Override
    void read(FileChannel channel, ByteBuffer target, long position) throws IOException {
        if (unreadable != null && paths.get(channel).toString().contains(unreadable)) {
            throw new IOException("Input/output error");
        }
        super.read(channel, target, position);
    }

    @Override
    boolean write(FileChannel channel, ByteBuffer source, ByteBuffer behind, long position) throws IOException {
        try {
            change();
            mustHaveSpace(paths.get(channel));
        } catch (IOException failure) {
            boolean stoppedHere = changesLeft == 0 || fullFor != null;
            if (stoppedHere) {
                changesLeft = changesLeft == 0 ? -1 : changesLeft;
                ByteBuffer half = source.duplicate().limit(source.position() + source.remaining() / 2);
                super.write(channel, half, behind.duplicate().limit(behind.position()), position);
            }
            throw failure;
        }
        noteWritten(paths.get(channel), (int) position, source.remaining() + behind.remaining());
        return super.write(channel, source, behind, position);
    }

    private synchronized void noteWritten(Path file, int from, int bytes) {
        if (file.toString().matches(".*[.](log|cleaned|swap)")) {
            inMemory.computeIfAbsent(file, unused -> new BitSet()).set(from, from + bytes);
            onDisk.computeIfAbsent(file, unused -> new BitSet()).clear(from, from + bytes);
        }
    }

    /** As in Linux, bytes of a failed fsync stay readable until a power cut, but the next fsync does not write them. */
    private synchronized void noteForced(Path file, boolean failed) {
        BitSet written = inMemory.remove(file);
        if (written != null && !failed) {
            onDisk.get(file).or(written);
        }
    }

    @Override
    long usableSpace(Path there) throws IOException {
        return fullFor == null ? super.usableSpace(there) : 0;
    }

    private void mustHaveSpace(Path file) throws IOException {
        if (fullFor != null && file.toString().contains(fullFor)) {
            throw new IOException("No space left on device");
        }
    }

    private synchronized void change() throws IOException {
        if (changesLeft <= 0) {
            throw new IOException("the disk is gone");
        }
        if (changesLeft != NEVER) {
            changesLeft--;
            if (changesLeft == 0) {
                throw new IOException("the disk is gone");
            }
        }
    }

    @Override
    void force(FileChannel channel) throws IOException {
        change();
        Path file = paths.get(channel);
        boolean fails = brokenFsyncFor != null && file.toString().contains(brokenFsyncFor);
        noteForced(file, fails);
        if (fails) {
            throw new IOException("Input/output error");
        }
    }

    @Override
    void truncate(FileChannel channel, long size) throws IOException {
        change();
        if (brokenTruncationFor != null && paths.get(channel).toString().contains(brokenTruncationFor)) {
            throw truncationFailure;
        }
        super.truncate(channel, size);
    }

    @Override
    void delete(Path file) throws IOException {
        if (Files.exists(file)) {
            change();
            noteDeleted(file);
            super.delete(file);
        }
    }

    private synchronized void noteDeleted(Path file) throws IOException {
        if (Files.isRegularFile(file)) {
            deleted.put(file, Files.readAllBytes(file));
        }
    }

    @Override
    void rename(Path from, Path to) throws IOException {
        change();
        noteRenamed(from, to);
        super.rename(from, to);
    }

    private synchronized void noteRenamed(Path from, Path to) throws IOException {
        if (Files.isRegularFile(from)) {
            renamed.add(new Renamed(from, to, Files.exists(to) ? Files.readAllBytes(to) : null));
            inMemory.remove(to);
            onDisk.remove(to);
            move(inMemory, from, to);
            move(onDisk, from, to);
        }
    }

    private static void move(Map<Path, BitSet> bytes, Path from, Path to) {
        if (bytes.containsKey(from)) {
            bytes.put(to, bytes.remove(from));
        }
    }

    @Override
    void createDirectory(Path directory) throws IOException {
        change();
        super.createDirectory(directory);
    }

    @Override
    void syncDirectory(Path directory) throws IOException {
        change();
        forgetDeletedIn(directory);
    }

    private synchronized void forgetDeletedIn(Path directory) {
        deleted.keySet().removeIf(file -> file.getParent().equals(directory));
        renamed.removeIf(file -> file.to().getParent().equals(directory));
    }
}
