package io.felice.broker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.partition.ScriptedEngine;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleReference;
import org.osgi.framework.Version;

/** The log lines about an engine that cannot open logs. */
class OpeningFailuresTest {
    private static final LogId ID = new LogId(UUID.randomUUID(), 3, "orders");

    @Test
    void theCauseAndTheBundleOfAFailedEngineAreLogged() {
        StorageEngine foreign = ofBundle("com.example.tape", "2.1.0");
        MountedEngine engine = new MountedEngine("tape", foreign, 1, System::nanoTime);

        String said = saidBy(
                () -> assertThatThrownBy(() -> engine.open(ID, 1)).isInstanceOf(UnsupportedOperationException.class));

        engine.close();
        assertThat(said)
                .contains("The storage engine tape (bundle com.example.tape 2.1.0) cannot open the log of orders-3")
                .contains("UnsupportedOperationException: no tape in the drive")
                .contains("\tat ");
    }

    @Test
    void oneFailureIsLoggedPerMinute() {
        AtomicLong nanos = new AtomicLong();
        OpeningFailures failures = new OpeningFailures("disk", new ScriptedEngine(Clock.systemUTC()), nanos::get);

        String said = saidBy(() -> {
            for (int i = 0; i < 100; i++) {
                failures.tell(ID, new IllegalStateException("broken"));
            }
            nanos.set(TimeUnit.MINUTES.toNanos(1));
            failures.tell(ID, new IllegalStateException("still broken"));
        });

        assertThat(said.lines().filter(line -> line.contains("cannot open")))
                .hasSize(2)
                .last()
                .asString()
                .contains("(99 other failures since the last such line)");
    }

    /** An engine whose class comes from a bundle. */
    private static StorageEngine ofBundle(String name, String version) {
        Bundle bundle = (Bundle) Proxy.newProxyInstance(
                OpeningFailuresTest.class.getClassLoader(),
                new Class<?>[] {Bundle.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getSymbolicName" -> name;
                    case "getVersion" -> Version.parseVersion(version);
                    default -> throw new UnsupportedOperationException(method.getName());
                });
        return (StorageEngine) Proxy.newProxyInstance(
                new BundleLoader(bundle), new Class<?>[] {StorageEngine.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("traits")) {
                        return Set.of();
                    }
                    throw new UnsupportedOperationException("no tape in the drive");
                });
    }

    private static final class BundleLoader extends ClassLoader implements BundleReference {
        private final Bundle bundle;

        BundleLoader(Bundle bundle) {
            super(OpeningFailuresTest.class.getClassLoader());
            this.bundle = bundle;
        }

        @Override
        public Bundle getBundle() {
            return bundle;
        }
    }

    private static String saidBy(Runnable action) {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(before);
        }
        return said.toString(StandardCharsets.UTF_8);
    }
}
