package io.felice.testkit;

import static io.felice.testkit.LogContents.offsetsOf;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import io.felice.testkit.MapEngine.MapStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KeyedEngineTest extends StorageEngineContract {
    private static final Set<EngineTrait> TRAITS =
            Set.of(EngineTrait.SURVIVES_KILL, EngineTrait.SURVIVES_POWER_LOSS, EngineTrait.REPLACES_RANGES);

    private Map<String, MapStore> stores;

    @Override
    protected StorageEngine engine() {
        stores = MapEngine.empty();
        return reopen();
    }

    @Override
    protected StorageEngine reopen() {
        return new MapEngine(stores, TRAITS);
    }

    @Test
    void aStoreThatFailsMakesTheHandleDeadUntilTheLogIsOpenedAgain() {
        MapEngine engine = new MapEngine(MapEngine.empty(), TRAITS);
        PartitionLog log = engine.open(ID, 1);
        log.append(batch(1).at(0));
        MapStore store = engine.stores.values().iterator().next();

        store.broken = new IOException("the disk is on fire");
        assertThatThrownBy(() -> log.append(batch(1).at(1))).rootCause().hasMessage("the disk is on fire");
        store.broken = null;

        assertThat(log.hasFailed()).isTrue();
        assertThatThrownBy(() -> log.append(batch(1).at(1))).hasMessageContaining("has failed");
        PartitionLog again = engine.open(ID, 1);
        again.append(batch(1).at(1));
        assertThat(offsetsOf(again.read(0, 2, 10_000, true))).containsExactly(0L, 1L);
    }

    @Test
    void aReadThatFailsLeavesTheHandleAsItWas() {
        MapEngine engine = new MapEngine(MapEngine.empty(), TRAITS);
        PartitionLog log = engine.open(ID, 1);
        log.append(batch(1).at(0));
        MapStore store = engine.stores.values().iterator().next();

        store.broken = new IOException("a bad sector");
        assertThatThrownBy(() -> log.read(0, 1, 10_000, true)).rootCause().hasMessage("a bad sector");
        store.broken = null;

        assertThat(offsetsOf(log.read(0, 1, 10_000, true))).containsExactly(0L);
        log.append(batch(1).at(1));
    }

    @Test
    void aLogOfWhichABatchIsDamagedIsNotOpenedAndOthersAre() {
        MapEngine engine = new MapEngine(MapEngine.empty(), TRAITS);
        engine.open(ID, 1).append(batch(1).at(0));
        engine.stores.values().iterator().next().values.put(0L, ByteBuffer.wrap(new byte[70]));

        MapEngine next = new MapEngine(engine.stores, TRAITS);

        assertThatThrownBy(() -> next.open(ID, 1)).hasMessageContaining("not a whole batch");
        assertThat(next.logs()).containsExactly(ID);
    }

    @Test
    void aStoppedEngineLetsNobodyWrite() {
        MapEngine engine = new MapEngine(MapEngine.empty(), TRAITS);
        PartitionLog log = engine.open(ID, 1);

        engine.stop();

        assertThatThrownBy(() -> log.append(batch(1).at(0))).hasMessageContaining("engine that was stopped");
    }
}
