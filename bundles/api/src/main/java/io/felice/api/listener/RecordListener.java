package io.felice.api.listener;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A consumer inside of the node: gets the records of topics. Register it as a service with the property {@link #NAME}, and
 * {@link #TOPICS} or {@link #PATTERN}. The properties may be set in the configuration of the component.
 *
 * <p>Each listener is a member of a consumer group, which Kafka's tools show and, while the listener is stopped, reset.
 * Its position in each partition is the group's committed offset, so a listener goes on where it was after an update of
 * its bundle, after a restart and after a crash. Felice commits an offset when the records before it were received, a
 * second later at the latest. So each record is received at least once: after a crash, some are received again.
 *
 * <p>The records of a partition come in the order of their offsets, also after a failure: a record is received again until
 * {@link #received} returns without an exception, with a longer wait each time. After {@code
 * listener.failures.max} failures in a row the listener is paused: {@code felice status} says so, and Felice tries again
 * once a minute. A listener that cannot use a record has
 * to return nevertheless; {@link RecordAppender} can keep such records in another topic.
 */
@ConsumerType
public interface RecordListener {
    /** The service property with the listener's name. */
    String NAME = "record.listener";

    /** The service property with the topics: a String of names separated by commas, or a String[]. */
    String TOPICS = "record.listener.topics";

    /** The service property with a regular expression (String); the listener gets the topics whose whole name matches. */
    String PATTERN = "record.listener.pattern";

    /** The service property with the name of the consumer group (String); the name of the listener if it is missing. */
    String GROUP = "record.listener.group";

    /**
     * The service property that says where the listener begins in a partition without a committed offset: {@code earliest}
     * or {@code latest}. {@code earliest} if it is missing.
     */
    String FROM = "record.listener.from";

    /**
     * Receives a record. Called on threads of the plugin, one record at a time. May block, within {@code
     * listener.timeout.ms} of {@code io.felice.coordinator} for up to {@code listener.queue.records} records; a call that
     * takes longer is a failure, and the listener gets nothing until it returns.
     *
     * @throws Exception if the record was not used; it is received again
     */
    void received(ReceivedRecord record) throws Exception;
}
