package io.felice.api.cluster;

import java.util.AbstractCollection;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * An immutable hash map whose changed copy shares all but the changed parts with it, so that a change of one entry costs
 * the same in a large map as in a small one. No key and no value is null. Any thread.
 */
final class SharedMap<K, V> {
    /** So many entries are in a bucket on average before there are more buckets. */
    private static final int FULL = 32;

    private static final SharedMap<?, ?> EMPTY = new SharedMap<>(List.of(Map.<Object, Object>of()), 0);

    /** As many as a power of two. An entry is in the bucket that the lowest bits of its key's hash name. */
    private final List<Map<K, V>> buckets;

    private final int size;

    private SharedMap(List<Map<K, V>> buckets, int size) {
        this.buckets = List.copyOf(buckets);
        this.size = size;
    }

    @SuppressWarnings("unchecked")
    static <K, V> SharedMap<K, V> empty() {
        return (SharedMap<K, V>) EMPTY;
    }

    /** Null if there is no such key. */
    V get(K key) {
        return buckets.get(bucket(key, buckets.size())).get(key);
    }

    Collection<V> values() {
        return new AbstractCollection<>() {
            @Override
            public Iterator<V> iterator() {
                return stream().iterator();
            }

            @Override
            public Stream<V> stream() {
                return buckets.stream().flatMap(bucket -> bucket.values().stream());
            }

            @Override
            public int size() {
                return size;
            }
        };
    }

    void forEach(BiConsumer<K, V> action) {
        buckets.forEach(bucket -> bucket.forEach(action));
    }

    private static int bucket(Object key, int count) {
        int hash = key.hashCode();
        return (hash ^ hash >>> 16) & count - 1;
    }

    /** Begins a changed copy. One thread. */
    Edit<K, V> edit() {
        return new Edit<>(this);
    }

    /** A changed copy that is being made. */
    static final class Edit<K, V> {
        private final SharedMap<K, V> from;
        private List<Map<K, V>> buckets;
        private final BitSet own = new BitSet();
        private int size;

        private Edit(SharedMap<K, V> from) {
            this.from = from;
            this.size = from.size;
        }

        V get(K key) {
            return buckets == null
                    ? from.get(key)
                    : buckets.get(bucket(key, buckets.size())).get(key);
        }

        void put(K key, V value) {
            size += written(key).put(key, value) == null ? 1 : 0;
        }

        /** @return the removed value; null if there was none */
        V remove(K key) {
            V removed = get(key) == null ? null : written(key).remove(key);
            size -= removed == null ? 0 : 1;
            return removed;
        }

        private Map<K, V> written(K key) {
            if (buckets == null) {
                buckets = new ArrayList<>(from.buckets);
            }
            int index = bucket(key, buckets.size());
            if (!own.get(index)) {
                buckets.set(index, new HashMap<>(buckets.get(index)));
                own.set(index);
            }
            return buckets.get(index);
        }

        SharedMap<K, V> done() {
            if (buckets == null) {
                return from;
            }
            return new SharedMap<>(size > FULL * buckets.size() ? spread() : buckets, size);
        }

        private List<Map<K, V>> spread() {
            int count = Integer.highestOneBit(Math.max(1, 4 * size / FULL));
            List<Map<K, V>> more = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                more.add(new HashMap<>());
            }
            for (Map<K, V> bucket : buckets) {
                bucket.forEach((key, value) -> more.get(bucket(key, count)).put(key, value));
            }
            return more;
        }
    }
}
