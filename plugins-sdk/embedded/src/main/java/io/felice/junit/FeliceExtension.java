package io.felice.junit;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Starts a node for the tests of a class. In a static field it is one node for all of them, in an instance field one for each
 * test:
 *
 * <pre>{@code
 * @RegisterExtension
 * static final FeliceExtension felice = new FeliceExtension();
 *
 * @Test
 * void ordersAreSent() {
 *     Properties client = new Properties();
 *     client.put("bootstrap.servers", felice.node().bootstrap());
 * }
 * }</pre>
 *
 * <p>With {@code @ExtendWith(FeliceExtension.class)} a test gets the node as a parameter of type {@link EmbeddedNode}. The
 * node keeps its records and metadata in memory, if it is not told otherwise, and listens on a free port of 127.0.0.1.
 */
public final class FeliceExtension
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback, ParameterResolver {
    private final Map<String, Map<String, Object>> settings = new HashMap<>();
    private String engine = "memory";
    private Path data;
    private EmbeddedNode node;
    private boolean isOfOneTest;

    /**
     * The engine of topics that do not choose one: {@code memory}, {@code log}, {@code mvstore}, or that of a plugin on the
     * class path.
     */
    public FeliceExtension engine(String name) {
        engine = name;
        return this;
    }

    /** The data directory. Without it the node has a temporary one, which it deletes. */
    public FeliceExtension data(Path directory) {
        data = directory;
        return this;
    }

    /** Sets a value of a file in {@code etc}: {@code setting("io.felice.broker", "num.partitions", 3)}. */
    public FeliceExtension setting(String pid, String key, Object value) {
        settings.computeIfAbsent(pid, unused -> new HashMap<>()).put(key, value);
        return this;
    }

    /**
     * The node.
     *
     * @throws IllegalStateException if it is not running, because no test does
     */
    public EmbeddedNode node() {
        if (node == null) {
            throw new IllegalStateException(
                    "the node is started before the first test of the class, or before each test");
        }
        return node;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        start();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        if (node == null) {
            isOfOneTest = true;
            start();
        }
    }

    private void start() {
        node = new EmbeddedNode(NodeLoader.start(engine, data, settings));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (isOfOneTest) {
            close();
        } else {
            node.clearFaults();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        close();
    }

    private void close() {
        if (node != null) {
            node.close();
            node = null;
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == EmbeddedNode.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return node();
    }
}
