package io.felice.junit;

import io.felice.api.ErrorCode;
import io.felice.testkit.FeliceNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.protocol.ApiKeys;

/** A {@link FeliceNode}, in the class loader of the node. */
final class LoadedNode implements NodeControl {
    private final FeliceNode node;

    /**
     * Starts a node.
     *
     * @param data the data directory; null for a temporary one
     */
    LoadedNode(String engine, Path data, Map<String, Map<String, Object>> settings) {
        FeliceNode.Builder builder = FeliceNode.inMemory().engine(engine);
        if (data != null) {
            builder.data(data);
        }
        settings.forEach((pid, values) -> values.forEach((key, value) -> builder.config(pid, key, value)));
        node = builder.start();
    }

    @Override
    public String bootstrap() {
        return node.bootstrap();
    }

    @Override
    public Path data() {
        return node.data();
    }

    @Override
    public void restart(String bundle) {
        node.restart(bundle);
    }

    @Override
    public void stop(String bundle) {
        node.stop(bundle);
    }

    @Override
    public void start(String bundle) {
        node.start(bundle);
    }

    @Override
    public void configure(String pid, Map<String, Object> values) {
        node.configure(pid, values);
    }

    @Override
    public void refuse(String api, int requests, String error) {
        node.faults().refuse(key(api), requests, ErrorCode.valueOf(error));
    }

    @Override
    public void delay(String api, int requests, Duration delay) {
        node.faults().delay(key(api), requests, delay);
    }

    @Override
    public void drop(String api, int requests) {
        node.faults().drop(key(api), requests);
    }

    @Override
    public void dropAnswers(String api, int requests) {
        node.faults().dropAnswers(key(api), requests);
    }

    @Override
    public void clearFaults() {
        node.faults().clear();
    }

    private static short key(String api) {
        return ApiKeys.valueOf(api).id;
    }

    @Override
    public void close() {
        node.close();
    }
}
