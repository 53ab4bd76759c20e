package io.felice.storage.mvstore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.h2.mvstore.DataUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store file after a power cut. Of its last commits some parts got to the disk and some did not, in no order; MVStore sees
 * that by the first and the last bytes of a commit only. Here the file is made to end with a commit that is sound as a
 * whole. What an fsync has brought to the disk is never cut off: a file that is not sound without the rest is damaged.
 */
final class TornFile {
    private static final Logger LOG = LoggerFactory.getLogger(TornFile.class);

    private static final int BLOCK = 4096;
    private static final int FOOTER_BYTES = 128;
    /** The last bytes of what MVStore writes in one commit. */
    private static final Pattern FOOTER =
            Pattern.compile("(chunk:[0-9a-f]+,len:([0-9a-f]+),version:[0-9a-f]+),fletcher:([0-9a-f]+)\\s*");

    private final Path path;
    private final SyncMark synced;

    private TornFile(Path path) {
        this.path = path;
        this.synced = SyncMark.of(path);
    }

    /** Tries to open a file, and to read all that no fsync has brought to the disk. */
    interface Opening {
        /** @param synced the last chunk that need not be read */
        StoreFile open(int synced) throws IOException;
    }

    /** Opens a file with as many commits as are sound, or nearly so: of many that are not flushed, half may be lost. */
    static StoreFile open(Path path, Opening opening) throws IOException {
        return new TornFile(path).open(opening);
    }

    private StoreFile open(Opening opening) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long before = channel.size();
            for (int commits = 1; ; commits *= 2) {
                try {
                    StoreFile file = opening.open(synced.chunk());
                    report(before - channel.size());
                    Files.deleteIfExists(cutOff());
                    return file;
                } catch (IOException notSound) {
                    long end = endWithout(commits, channel);
                    if (end < synced.length() || end <= 0) {
                        restore(channel);
                        throw notSound;
                    }
                    if (commits == 1) {
                        keepCutOff(channel);
                    }
                    channel.truncate(end);
                }
            }
        }
    }

    private void report(long fewer) {
        if (fewer > 0) {
            LOG.warn(
                    "{} ends {} bytes earlier after a power cut: they were not flushed, and not written as a whole",
                    path,
                    fewer);
        }
    }

    private Path cutOff() {
        return path.resolveSibling(path.getFileName() + ".cut");
    }

    /** What may be cut off stays in a file of its own until it is clear that the rest is sound. */
    private void keepCutOff(FileChannel channel) throws IOException {
        try (FileChannel kept = FileChannel.open(
                cutOff(), StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            copy(channel, synced.length(), kept, 0);
        }
    }

    private void restore(FileChannel channel) throws IOException {
        if (Files.exists(cutOff())) {
            try (FileChannel kept = FileChannel.open(cutOff(), StandardOpenOption.READ)) {
                copy(kept, 0, channel, synced.length());
            }
            Files.delete(cutOff());
        }
    }

    private static void copy(FileChannel from, long position, FileChannel to, long at) throws IOException {
        to.position(at);
        for (long next = position; next < from.size(); ) {
            next += from.transferTo(next, from.size() - next, to);
        }
    }

    /** Where the file ends without its last commits. */
    private long endWithout(int commits, FileChannel channel) throws IOException {
        long end = channel.size() / BLOCK * BLOCK;
        for (int found = 0; found < commits && end > 0; found++) {
            long start = startOfCommitBefore(end, channel);
            if (start < synced.length()) {
                return found == 0 ? start : end;
            }
            end = start;
        }
        return end;
    }

    /**
     * Where the last whole commit of a file ends. Behind it is what a process that was killed has left of a commit: MVStore
     * writes its next one over that, and cuts the rest off sooner or later.
     *
     * @return the size of the file if there is no commit in it
     */
    static long endOfLastCommit(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            for (long end = size / BLOCK * BLOCK; end > 2L * BLOCK; end -= BLOCK) {
                if (footerBefore(end, channel) != null) {
                    return end;
                }
            }
            return size;
        }
    }

    /** Where the last commit begins that ends at or before a position; -1 if there is none. */
    private static long startOfCommitBefore(long position, FileChannel channel) throws IOException {
        for (long end = position; end > 2L * BLOCK; end -= BLOCK) {
            Matcher footer = footerBefore(end, channel);
            if (footer != null) {
                return end - Long.parseLong(footer.group(2), 16) * BLOCK;
            }
        }
        return -1;
    }

    /** Null if no commit ends there. */
    private static Matcher footerBefore(long end, FileChannel channel) throws IOException {
        ByteBuffer footer = ByteBuffer.allocate(FOOTER_BYTES);
        if (channel.read(footer, end - FOOTER_BYTES) != FOOTER_BYTES) {
            return null;
        }
        Matcher text = FOOTER.matcher(new String(footer.array(), StandardCharsets.ISO_8859_1));
        boolean isFooter = text.matches() && checksum(text.group(1)) == (int) Long.parseLong(text.group(3), 16);
        return isFooter ? text : null;
    }

    private static int checksum(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        return DataUtils.getFletcher32(bytes, 0, bytes.length);
    }
}
