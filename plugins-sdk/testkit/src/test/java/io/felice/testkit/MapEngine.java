package io.felice.testkit;

import io.felice.api.storage.BatchStore;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.KeyedEngine;
import io.felice.api.storage.Volume;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** A {@link KeyedEngine} over maps. Another engine over the same maps finds what they have. */
final class MapEngine extends KeyedEngine {
    final Map<String, MapStore> stores;
    private final Set<EngineTrait> traits;

    MapEngine(Map<String, MapStore> stores, Set<EngineTrait> traits) {
        this.stores = stores;
        this.traits = traits;
    }

    @Override
    public Set<EngineTrait> traits() {
        return traits;
    }

    @Override
    public Volume volume() {
        return new Volume("map:", -1, -1);
    }

    @Override
    protected BatchStore store(String name) {
        return stores.computeIfAbsent(name, unused -> new MapStore());
    }

    @Override
    protected Set<String> names() {
        return stores.keySet();
    }

    void stop() {
        close();
    }

    static Map<String, MapStore> empty() {
        return new ConcurrentHashMap<>();
    }

    /** Fails while {@link #broken} is not null. */
    static final class MapStore implements BatchStore {
        final TreeMap<Long, ByteBuffer> values = new TreeMap<>();
        IOException broken;

        @Override
        public void put(long number, ByteBuffer value) throws IOException {
            mustWork();
            byte[] copy = new byte[value.remaining()];
            value.duplicate().get(copy);
            values.put(number, ByteBuffer.wrap(copy).asReadOnlyBuffer());
        }

        @Override
        public ByteBuffer get(long number) throws IOException {
            mustWork();
            ByteBuffer value = values.get(number);
            return value == null ? null : value.duplicate();
        }

        @Override
        public void delete(long number) throws IOException {
            mustWork();
            values.remove(number);
        }

        @Override
        public void drop() throws IOException {
            mustWork();
            values.clear();
        }

        @Override
        public Collection<Long> numbers() {
            return List.copyOf(values.keySet());
        }

        @Override
        public void replace(long from, long to, Map<Long, ByteBuffer> replacing) throws IOException {
            mustWork();
            values.subMap(from, to).clear();
            values.putAll(replacing);
        }

        private void mustWork() throws IOException {
            if (broken != null) {
                throw broken;
            }
        }
    }
}
