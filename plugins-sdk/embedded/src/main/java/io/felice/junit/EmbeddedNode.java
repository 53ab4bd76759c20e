package io.felice.junit;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * A node inside the JVM of a test, which Kafka clients reach at {@link #bootstrap}. {@link FeliceExtension} starts and
 * closes it. Any thread may call the methods; one call at a time but for {@link #bootstrap}.
 *
 * <p>A test injects failures into the next requests of an API. The API has Kafka's name, as in {@code PRODUCE}, {@code FETCH}
 * or {@code OFFSET_COMMIT}. After each test the failures that have not happened are removed.
 */
public final class EmbeddedNode {
    private final NodeControl control;

    EmbeddedNode(NodeControl control) {
        this.control = control;
    }

    /** The value of {@code bootstrap.servers}, such as {@code 127.0.0.1:45123}. */
    public String bootstrap() {
        return control.bootstrap();
    }

    /** The data directory of the node. */
    public Path data() {
        return control.data();
    }

    /**
     * Refuses the next requests of the API with an error. Nothing is done for them.
     *
     * @param error Kafka's name of the error, for example {@code NOT_LEADER_OR_FOLLOWER}
     * @throws IllegalArgumentException if there is no such API or error
     */
    public void refuse(String api, int requests, String error) {
        control.refuse(api, requests, error);
    }

    /** Does the next requests of the API at once, and answers them after the delay. */
    public void delay(String api, int requests, Duration delay) {
        control.delay(api, requests, delay);
    }

    /** Closes the connections on which the next requests of the API come. Nothing is done for the requests. */
    public void drop(String api, int requests) {
        control.drop(api, requests);
    }

    /** Does the next requests of the API, and closes their connections instead of answering. */
    public void dropAnswers(String api, int requests) {
        control.dropAnswers(api, requests);
    }

    /** Removes the failures that have not happened yet. */
    public void clearFaults() {
        control.clearFaults();
    }

    /** Takes a bundle down and up as its update does, for example {@code io.felice.broker}. */
    public void restart(String bundle) {
        control.restart(bundle);
    }

    /** Takes a bundle down. */
    public void stop(String bundle) {
        control.stop(bundle);
    }

    /** Takes a bundle that was stopped up again. */
    public void start(String bundle) {
        control.start(bundle);
    }

    /** Changes the settings of a bundle or of a plugin while the node runs. */
    public void configure(String pid, Map<String, Object> settings) {
        control.configure(pid, settings);
    }

    void close() {
        control.close();
    }
}
