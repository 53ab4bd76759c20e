package io.felice.protocol;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.service.component.annotations.ComponentPropertyType;

/**
 * Which Kafka API a {@link RequestHandler} serves, and in which versions; becomes the service properties
 * {@code felice.api.key}, {@code felice.api.from}, {@code felice.api.to}, {@code felice.api.advertised.from}.
 */
@ComponentPropertyType
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface Serves {
    String PREFIX_ = "felice.api.";

    /** The API key, see {@link Apis}. */
    short key();

    /** The first version that is served. */
    short from();

    /** The last version that is served. */
    short to();

    /**
     * The first version that is advertised, where that differs: Produce says 0 and closes the connection on 0 to 2, as
     * librdkafka takes Produce v0 for a sign that compression works (KAFKA-18659). -1: as {@link #from}.
     */
    short advertised_from() default -1;
}
