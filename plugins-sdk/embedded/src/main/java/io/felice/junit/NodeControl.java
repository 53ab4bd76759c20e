package io.felice.junit;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * What the class loader of the test and that of the node have in common: this interface and the JDK. Only {@link
 * EmbeddedNode} uses it.
 */
public interface NodeControl extends AutoCloseable {
    String bootstrap();

    Path data();

    void restart(String bundle);

    void stop(String bundle);

    void start(String bundle);

    void configure(String pid, Map<String, Object> values);

    void refuse(String api, int requests, String error);

    void delay(String api, int requests, Duration delay);

    void drop(String api, int requests);

    void dropAnswers(String api, int requests);

    void clearFaults();

    @Override
    void close();
}
