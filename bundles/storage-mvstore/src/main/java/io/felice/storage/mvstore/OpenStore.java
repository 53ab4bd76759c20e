package io.felice.storage.mvstore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.Page;

/** MVStore and its maps while a store file is open. A failed write closes it for good. */
record OpenStore(
        MVStore store,
        MVMap<String, String> head,
        MVMap<Long, ByteBuffer> logs,
        MVMap<Long, ByteBuffer> segments,
        MVMap<Long, ByteBuffer> batches) {
    /**
     * A page that is larger is split. Each commit writes the last page of every log again, so pages are small; MVStore's
     * default of 16 KB writes batches of 1 KB six times as often.
     */
    static final int PAGE_BYTES = 1024;

    private static final MVMap.Builder<Long, ByteBuffer> NUMBERED =
            new MVMap.Builder<Long, ByteBuffer>().keyType(NumberKeys.TYPE).valueType(BatchBytes.TYPE);

    /**
     * Opens a file, or makes an empty one. No space in it is used twice, and nothing is committed but by {@code commit}.
     * MVStore's retention time and number of versions are at their defaults: with zero, version 2.4.240 damages its file.
     *
     * @param fileName with MVStore's file system before it
     * @throws RuntimeException as MVStore does
     */
    static OpenStore open(String fileName, int cacheMb) {
        MVStore store = new MVStore.Builder()
                .fileName(fileName)
                .autoCommitDisabled()
                .autoCommitBufferSize(0)
                .autoCompactFillRate(0)
                .pageSplitSize(PAGE_BYTES)
                .cacheSize(cacheMb)
                .open();
        boolean open = false;
        try {
            store.setReuseSpace(false);
            OpenStore opened = new OpenStore(
                    store,
                    store.openMap("head"),
                    store.openMap("logs", NUMBERED),
                    store.openMap("segments", NUMBERED),
                    store.openMap("batches", NUMBERED));
            open = true;
            return opened;
        } finally {
            if (!open) {
                store.closeImmediately();
            }
        }
    }

    long sizeInBytes() {
        return store.getFileStore().size();
    }

    long cachedBytes() {
        return (long) store.getFileStore().getCacheSizeUsed() << 20;
    }

    /** MVStore's number of the last commit that changed a map; {@code before} if none did since then. */
    int lastChunk(int before) {
        int last = before;
        for (MVMap<?, ?> map : List.of(head, logs, segments, batches)) {
            long position = map.getRootPage().getPos();
            last = DataUtils.isPageSaved(position) ? Math.max(last, DataUtils.getPageChunkId(position)) : last;
        }
        return last;
    }

    private interface Check {
        void of(ByteBuffer value) throws IOException;
    }

    /**
     * Reads everything behind a chunk.
     *
     * @throws IOException if something is damaged, or as MVStore does
     */
    void mustBeSoundBehind(int chunk) throws IOException {
        mustBeSound(logs.getRootPage(), chunk, LogEntry::decode);
        mustBeSound(segments.getRootPage(), chunk, SegmentEntry::decode);
        mustBeSound(batches.getRootPage(), chunk, value -> {
            if (value.hasRemaining()) {
                Checked.mustBeSound(value);
            }
        });
    }

    /** A page of a chunk refers to pages of that chunk and of older ones only. */
    private static void mustBeSound(Page<Long, ByteBuffer> page, int chunk, Check check) throws IOException {
        if (page.isLeaf()) {
            for (int i = 0; i < page.getKeyCount(); i++) {
                check.of(page.getValue(i));
            }
            return;
        }
        for (int i = 0; i <= page.getKeyCount(); i++) {
            if (DataUtils.getPageChunkId(page.getChildPagePos(i)) > chunk) {
                mustBeSound(page.getChildPage(i), chunk, check);
            }
        }
    }
}
