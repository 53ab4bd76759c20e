package io.felice.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.Launch;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/** A failure of the embedded server keeps a node from starting, but never ends a node that has served. */
class EmbeddedServerTest {
    private static final String SERVED = "felice.served";

    @TempDir
    Path directory;

    private final BlockingQueue<EmbeddedZooKeeper> registered = new LinkedBlockingQueue<>();
    private Path fatal;
    private EmbeddedServer server;

    @BeforeEach
    void watchTheFatalFile() {
        fatal = directory.resolve("fatal");
        System.setProperty(Launch.FATAL_FILE, fatal.toString());
    }

    @AfterEach
    void stop() throws InterruptedException {
        server.deactivate();
        System.clearProperty(Launch.FATAL_FILE);
        System.clearProperty(SERVED);
    }

    @Test
    void aPortThatIsTakenKeepsTheNodeFromStarting() throws Exception {
        try (ServerSocket other = takenPort()) {
            server = start(other.getLocalPort(), () -> registration());

            Awaitility.await().until(() -> fatal.toFile().exists());
            assertThat(fatal).content().contains("the port is taken");
        }
    }

    @Test
    void aPortThatIsTakenInANodeThatHasServedIsTriedAgain() throws Exception {
        Launch.ready(List.of());
        try (ServerSocket other = takenPort()) {
            server = start(other.getLocalPort(), () -> registration());

            assertThat(registered.poll(1, TimeUnit.SECONDS)).isNull();
        }

        assertThat(registered.poll(30, TimeUnit.SECONDS)).isNotNull();
        assertThat(fatal).doesNotExist();
    }

    @Test
    void aServerThatFailsAfterItBeganToServeIsStartedAgain() throws Exception {
        server = start(0, () -> {
            if (registered.size() == 1) {
                throw new IllegalStateException("an accident");
            }
            return registration();
        });

        Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> registered.size() == 2);
        assertThat(fatal).doesNotExist();
    }

    private static ServerSocket takenPort() throws Exception {
        return new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
    }

    private EmbeddedServer start(int port, Supplier<ServiceRegistration<?>> answer) {
        Map<String, Object> settings = Map.of("port", port, "data_dir", directory.toString());
        EmbeddedServer.Config config = fake(
                EmbeddedServer.Config.class,
                (method, arguments) -> settings.getOrDefault(method.getName(), method.getDefaultValue()));
        BundleContext bundle = fake(BundleContext.class, (method, arguments) -> {
            assertThat(method.getName()).isEqualTo("registerService");
            registered.add((EmbeddedZooKeeper) arguments[1]);
            return answer.get();
        });
        return new EmbeddedServer(config, bundle);
    }

    private static ServiceRegistration<?> registration() {
        return fake(ServiceRegistration.class, (method, arguments) -> {
            assertThat(method.getName()).isEqualTo("unregister");
            return null;
        });
    }

    private interface Answer {
        Object to(Method method, Object[] arguments);
    }

    private static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answer.to(method, arguments)));
    }
}
