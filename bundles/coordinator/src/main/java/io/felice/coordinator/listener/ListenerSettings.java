package io.felice.coordinator.listener;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The settings of the bundle. */
@ObjectClassDefinition(name = "Felice: coordinator")
public @interface ListenerSettings {
    @AttributeDefinition(
            description = "How long a record listener may take for the records that it gets at a time, in milliseconds."
                    + " After that the call counts as failed.",
            min = "1")
    int listener_timeout_ms() default 30_000;

    @AttributeDefinition(description = "Most records that wait for a record listener.", min = "1")
    int listener_queue_records() default 500;

    @AttributeDefinition(
            description = "Most bytes of records that are read for a record listener at a time; one batch is read"
                    + " whatever its size.",
            min = "1")
    int listener_queue_bytes() default 1 << 20;

    @AttributeDefinition(
            description =
                    "How often in a row a record listener may fail before it is paused. A paused listener is tried"
                            + " again once a minute.",
            min = "1")
    int listener_failures_max() default 10;
}
