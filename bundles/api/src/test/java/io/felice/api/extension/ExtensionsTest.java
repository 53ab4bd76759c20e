package io.felice.api.extension;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.ComponentServiceObjects;

/** Of two services with one name one is used, and nobody's constructor runs before the first call. */
class ExtensionsTest {
    private static final int PLENTY_MS = 60_000;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final Set<String> forbidden = new HashSet<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Extensions<Runnable> extensions = new Extensions<>(
            "engine",
            "name",
            bundle -> bundle.getSymbolicName().startsWith("io.felice."),
            extension -> Optional.of(extension.provider())
                    .filter(provider ->
                            forbidden.contains(extension.bundle().orElseThrow().getSymbolicName()))
                    .map(provider -> provider + " is forbidden"),
            timer,
            System::nanoTime);
    private long lastId;

    @AfterEach
    void stop() {
        end.countDown();
        extensions.close();
        timer.shutdownNow();
    }

    private record Offered(Supplier<Runnable> service, Bundle bundle) implements ComponentServiceObjects<Runnable> {
        @Override
        public Runnable getService() {
            return service.get();
        }

        @Override
        public void ungetService(Runnable given) {}

        @Override
        @SuppressWarnings("unchecked")
        public ServiceReference<Runnable> getServiceReference() {
            return fake(ServiceReference.class, Map.of("getBundle", bundle));
        }
    }

    private static <T> T fake(Class<T> type, Map<String, Object> answers) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> method.getName().equals("equals")
                        ? (Object) (proxy == arguments[0])
                        : answers.get(method.getName())));
    }

    private Offered offer(String bundle, String version, Supplier<Runnable> service) {
        Offered offered = new Offered(
                service,
                fake(Bundle.class, Map.of("getSymbolicName", bundle, "getVersion", Version.parseVersion(version))));
        extensions.add(offered, Map.of("name", "x", "component.name", "org.example.X", "service.id", ++lastId));
        return offered;
    }

    private Offered offer(String bundle, String version) {
        return offer(bundle, version, () -> () -> {});
    }

    private String used() {
        return extensions.find("x").map(Extension::provider).orElse("nobody");
    }

    private List<String> troubles() {
        return extensions.troubles().stream().map(Trouble::reason).toList();
    }

    @Test
    void theFirstIsUsedUntilItGoes() {
        Offered first = offer("org.a", "1.0.0");
        offer("org.b", "2.0.0");
        assertThat(used()).isEqualTo("org.example.X of bundle org.a 1.0.0");
        assertThat(troubles())
                .containsExactly("There are two services for the engine x: org.example.X of bundle org.a 1.0.0 is used,"
                        + " org.example.X of bundle org.b 2.0.0 is refused. Stop one of the two bundles");

        extensions.remove(first);

        assertThat(used()).isEqualTo("org.example.X of bundle org.b 2.0.0");
        assertThat(troubles()).isEmpty();
    }

    @Test
    void anOwnOneIsUsedBeforeAStrangers() {
        offer("org.a", "1.0.0");
        Offered own = offer("io.felice.own", "1.0.0");
        assertThat(used()).isEqualTo("org.example.X of bundle io.felice.own 1.0.0");

        extensions.remove(own);

        assertThat(used()).isEqualTo("org.example.X of bundle org.a 1.0.0");
    }

    @Test
    void oneThatIsRefusedTakesNobodysName() {
        forbidden.add("org.a");
        offer("org.a", "1.0.0");
        offer("org.b", "1.0.0");
        assertThat(used()).isEqualTo("org.example.X of bundle org.b 1.0.0");
        assertThat(troubles()).containsExactly("org.example.X of bundle org.a 1.0.0 is forbidden");

        forbidden.clear();
        extensions.chooseAgain();

        assertThat(used()).isEqualTo("org.example.X of bundle org.a 1.0.0");
    }

    @Test
    void aServiceIsActivatedByItsFirstCallOnAThreadOfItsOwn() {
        List<String> threads = new ArrayList<>();
        offer("org.a", "1.0.0", () -> {
            threads.add(Thread.currentThread().getName());
            return () -> {};
        });
        assertThat(threads).isEmpty();

        Extension<Runnable> extension = extensions.find("x").orElseThrow();
        extension.calls().call("run()", PLENTY_MS, extension::service).join();
        extension.calls().call("run()", PLENTY_MS, extension::service).join();

        assertThat(threads).containsExactly("felice-engine-x");
    }

    @Test
    void oneWhoseActivationHangsIsNamedWithItsBundleAndItsThread() {
        offer("org.a", "1.0.0", () -> {
            try {
                end.await();
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
            return () -> {};
        });
        Extension<Runnable> extension = extensions.find("x").orElseThrow();

        assertThat(extension
                        .calls()
                        .call("its activation", 50, extension::service)
                        .handle((service, failure) -> failure.getMessage())
                        .join())
                .isEqualTo("The engine x has not answered its activation within 50 ms");

        assertThat(troubles())
                .singleElement()
                .asString()
                .startsWith("The engine x (org.example.X of bundle org.a 1.0.0) does not come back: its activation runs"
                        + " for ")
                .contains("in the thread felice-engine-x, at " + ExtensionsTest.class.getName());
    }
}
