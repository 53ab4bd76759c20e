package io.felice.records;

import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;

/**
 * How the records of a batch are compressed.
 *
 * @param id 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd, as in {@link io.felice.api.RecordBatch#codec}
 * @param level the codec's own scale; ignored by none and snappy
 */
public record Codec(int id, int level) {
    private static final List<String> NAMES = List.of("uncompressed", "gzip", "snappy", "lz4", "zstd");

    /** @throws IllegalArgumentException if there is no such codec */
    public Codec {
        name(id);
    }

    /**
     * The codec that the topic config {@code compression.type} names.
     *
     * @throws IllegalArgumentException for any other word, also for {@code producer}
     */
    public static Codec of(String name, int level) {
        return new Codec(NAMES.indexOf(name), level);
    }

    public String name() {
        return name(id);
    }

    private static String name(int id) {
        if (id < 0 || id >= NAMES.size()) {
            throw new IllegalArgumentException("codec " + id);
        }
        return NAMES.get(id);
    }

    Compression compression() {
        return switch (CompressionType.forId(id)) {
            case NONE -> Compression.NONE;
            case GZIP -> Compression.gzip().level(level).build();
            case SNAPPY -> Compression.snappy().build();
            case LZ4 -> Compression.lz4().level(level).build();
            case ZSTD -> Compression.zstd().level(level).build();
        };
    }
}
