package io.felice.protocol;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.service.component.annotations.ComponentPropertyType;

/**
 * Which Kafka API a {@link RequestHandler} serves; becomes the service property {@code felice.api.key}. The API's row in
 * {@link Apis} says the versions: the handler serves all of them.
 */
@ComponentPropertyType
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface Serves {
    String PREFIX_ = "felice.api.";

    /** The API key, one of {@link Apis}. */
    short key();
}
