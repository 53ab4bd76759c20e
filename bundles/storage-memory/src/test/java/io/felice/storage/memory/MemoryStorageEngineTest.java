package io.felice.storage.memory;

import static io.felice.testkit.LogContents.offsetsOf;
import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.StorageEngine;
import io.felice.testkit.StorageEngineContract;
import java.lang.annotation.Annotation;
import java.time.Clock;
import org.junit.jupiter.api.Test;

class MemoryStorageEngineTest extends StorageEngineContract {
    @Override
    protected StorageEngine engine() {
        return new MemoryStorageEngine(1 << 28, Clock.systemUTC());
    }

    @Override
    protected StorageEngine reopen() {
        return engine();
    }

    @Test
    void aFullEngineRefusesAppendsUntilALogIsTrimmed() {
        StorageEngine small = new MemoryStorageEngine(1_000, Clock.systemUTC());
        PartitionLog log = small.open(ID, 1);
        log.append(batch(1).valueBytes(700).at(0));

        assertThatThrownBy(() -> log.append(batch(1).valueBytes(700).at(1)))
                .isInstanceOfSatisfying(FeliceException.class, failure -> {
                    assertThat(failure.code()).isEqualTo(ErrorCode.KAFKA_STORAGE_ERROR);
                    assertThat(failure).hasMessageContaining("full");
                });
        assertThat(log.endOffset()).isEqualTo(1);
        log.trimTo(1);
        log.append(batch(1).valueBytes(700).at(1));

        assertThat(log.endOffset()).isEqualTo(2);
    }

    @Test
    void anotherBudgetIsInForceAtOnceAndKeepsTheLogs() {
        MemoryStorageEngine small = new MemoryStorageEngine(1_000, Clock.systemUTC());
        PartitionLog log = small.open(ID, 1);
        log.append(batch(1).valueBytes(700).at(0));

        small.modified(budget(2_000));
        log.append(batch(1).valueBytes(700).at(1));

        assertThat(log.endOffset()).isEqualTo(2);
    }

    @Test
    void whatStaysOfASegmentIsKeptThoughTheEngineHasMoreThanItMayMeanwhile() {
        MemoryStorageEngine small = new MemoryStorageEngine(2_000, Clock.systemUTC());
        PartitionLog log = small.open(ID, 1);
        log.append(batch(1).valueBytes(700).at(0));
        RecordBatch stays = batch(1).valueBytes(700).at(1);
        log.append(stays);
        log.roll();
        small.modified(budget(100));

        try (Replacement replacement = log.replace(log.segments().subList(0, 1))) {
            replacement.append(stays);
            replacement.prepare();
            replacement.commit();
        }

        assertThat(offsetsOf(log.read(0, 2, 10_000, true))).containsExactly(1L);
        small.modified(budget(2_000));
        log.append(batch(1).valueBytes(700).at(2));
        assertThat(log.endOffset()).isEqualTo(3);
    }

    private static MemoryStorageEngine.Config budget(long bytes) {
        return new MemoryStorageEngine.Config() {
            @Override
            public long bytes() {
                return bytes;
            }

            @Override
            public Class<? extends Annotation> annotationType() {
                return MemoryStorageEngine.Config.class;
            }
        };
    }

    @Test
    void aDeletedLogGivesItsBytesBack() {
        StorageEngine small = new MemoryStorageEngine(1_000, Clock.systemUTC());
        small.open(ID, 1).append(batch(1).valueBytes(700).at(0));
        assertThat(small.volume().usableBytes()).isLessThan(300);

        small.delete(ID);

        assertThat(small.volume().usableBytes()).isEqualTo(1_000);
    }
}
