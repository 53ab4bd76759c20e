package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What the random test of the engines' contract says when it fails. */
class RandomLogTest {
    @Test
    void aFailureNamesTheChangesBeforeTheOperationThatFailed() {
        RandomLog random = new RandomLog(1, blindAfterATrim(), false);

        Throwable failure = catchThrowable(() -> {
            for (int i = 0; i < 10_000; i++) {
                random.step();
            }
        });

        assertThat(failure).isInstanceOf(AssertionError.class);
        assertThat(random.toString().lines())
                .hasSizeLessThanOrEqualTo(22)
                .anyMatch(line -> line.startsWith("trim to "))
                .anyMatch(line -> line.startsWith("read ") || line.startsWith("pin "))
                .last()
                .asString()
                .startsWith("The model has ");
    }

    /** A log that gives no record any more once it was trimmed. */
    private static PartitionLog blindAfterATrim() {
        PartitionLog log =
                new MapEngine(MapEngine.empty(), Set.of()).open(new LogId(UUID.randomUUID(), 0, "orders"), 1);
        AtomicBoolean isTrimmed = new AtomicBoolean();
        return (PartitionLog) Proxy.newProxyInstance(
                RandomLogTest.class.getClassLoader(),
                new Class<?>[] {PartitionLog.class},
                (proxy, method, arguments) -> {
                    isTrimmed.compareAndSet(false, method.getName().equals("trimTo"));
                    try {
                        return isTrimmed.get() && method.getName().equals("read")
                                ? Records.EMPTY
                                : method.invoke(log, arguments);
                    } catch (InvocationTargetException thrown) {
                        throw thrown.getCause();
                    }
                });
    }
}
