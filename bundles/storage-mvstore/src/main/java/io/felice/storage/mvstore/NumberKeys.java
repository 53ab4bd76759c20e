package io.felice.storage.mvstore;

import java.nio.ByteBuffer;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.LongDataType;

/**
 * Numbers as keys of a map. As {@link LongDataType}, but without an estimate of the memory: with one, a page does not
 * notice that a value was replaced by a larger one, and grows without bound.
 */
final class NumberKeys extends BasicDataType<Long> {
    static final NumberKeys TYPE = new NumberKeys();

    private NumberKeys() {}

    @Override
    public int getMemory(Long key) {
        return Long.BYTES;
    }

    @Override
    public boolean isMemoryEstimationAllowed() {
        return false;
    }

    @Override
    public void write(WriteBuffer page, Long key) {
        page.putVarLong(key);
    }

    @Override
    public Long read(ByteBuffer page) {
        return DataUtils.readVarLong(page);
    }

    @Override
    public Long[] createStorage(int size) {
        return new Long[size];
    }

    @Override
    public int compare(Long one, Long other) {
        return Long.compare(one, other);
    }

    @Override
    public int binarySearch(Long key, Object keys, int size, int guess) {
        return LongDataType.INSTANCE.binarySearch(key, keys, size, guess);
    }
}
