package io.felice.protocol;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.service.component.annotations.ComponentPropertyType;

/**
 * Declares the Kafka API that a {@link RequestHandler} serves. The key becomes the service property {@code
 * felice.api.key}. The handler must serve all versions of the API's row in {@link Apis}.
 */
@ComponentPropertyType
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface Serves {
    String PREFIX_ = "felice.api.";

    /** The API key, one of {@link Apis}. */
    short key();
}
