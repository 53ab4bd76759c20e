package io.felice.storage.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A new segment that was committed and did not get to its place before the process ended; see {@link LogReplacements}.
 *
 * @param baseOffset of the new segment
 * @param end the offset after the segments that it replaces
 */
record SwapFile(Path path, long baseOffset, long end) {
    private static final Pattern NAME = Pattern.compile("(\\d{20})\\.(\\d{20})\\.swap");

    static String nameOf(long baseOffset, long end) {
        return SegmentFile.nameOf(baseOffset, String.format(".%020d.swap", end));
    }

    /** Null if the file is none. */
    static SwapFile of(Path file) {
        Matcher parts = NAME.matcher(file.getFileName().toString());
        return parts.matches()
                ? new SwapFile(file, Long.parseLong(parts.group(1)), Long.parseLong(parts.group(2)))
                : null;
    }

    /**
     * Removes the files of the old segments, then gives the new one its place. A crash at any point leaves this file, or
     * the new segment in its place and no old one.
     *
     * @param bases of the segments that are there; those that go are taken out
     */
    void putInPlace(DiskFiles files, Set<Long> bases) throws IOException {
        Path directory = path.getParent();
        files.syncDirectory(directory);
        new IndexFiles(files, directory, baseOffset).delete();
        for (long base : bases) {
            if (base > baseOffset && base < end) {
                files.delete(directory.resolve(SegmentFile.nameOf(base)));
                new IndexFiles(files, directory, base).delete();
            }
        }
        files.syncDirectory(directory);
        files.rename(path, directory.resolve(SegmentFile.nameOf(baseOffset)));
        files.syncDirectory(directory);
        bases.removeIf(base -> base > baseOffset && base < end);
        bases.add(baseOffset);
    }
}
