package io.felice.storage.mvstore;

import java.nio.ByteBuffer;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * Bytes as values of a map. A value that is read is a view over the page that was read from the file, not a copy; the page
 * stays in memory while a view of it does. Values never change.
 */
final class BatchBytes extends BasicDataType<ByteBuffer> {
    static final BatchBytes TYPE = new BatchBytes();

    /** What a buffer and its array need besides the bytes. */
    private static final int OBJECT_BYTES = 80;

    private BatchBytes() {}

    @Override
    public int getMemory(ByteBuffer value) {
        return OBJECT_BYTES + value.remaining();
    }

    /** Values differ in size: an estimate from some of them would let pages grow far beyond their limit. */
    @Override
    public boolean isMemoryEstimationAllowed() {
        return false;
    }

    @Override
    public void write(WriteBuffer page, ByteBuffer value) {
        page.putVarInt(value.remaining());
        page.put(value.duplicate());
    }

    @Override
    public ByteBuffer read(ByteBuffer page) {
        int length = DataUtils.readVarInt(page);
        if (length < 0 || length > page.remaining()) {
            throw DataUtils.newMVStoreException(
                    DataUtils.ERROR_FILE_CORRUPT,
                    "A value of {0} bytes is in a page with {1} bytes left",
                    length,
                    page.remaining());
        }
        ByteBuffer value = page.slice(page.position(), length);
        page.position(page.position() + length);
        return value;
    }

    @Override
    public ByteBuffer[] createStorage(int size) {
        return new ByteBuffer[size];
    }
}
