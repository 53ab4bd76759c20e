package io.felice.protocol;

import java.lang.reflect.Method;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * The field {@code throttle_time_ms} of responses, which the message classes have one by one. In versions without the field
 * it is left out. Any thread.
 */
public final class ThrottleTime {
    private static final ClassValue<Field> FIELDS = new ClassValue<>() {
        @Override
        protected Field computeValue(Class<?> type) {
            return Field.of(type);
        }
    };

    private ThrottleTime() {}

    private record Field(Method getter, Method setter) {
        static Field of(Class<?> type) {
            try {
                return new Field(type.getMethod("throttleTimeMs"), type.getMethod("setThrottleTimeMs", int.class));
            } catch (NoSuchMethodException none) {
                return new Field(null, null);
            }
        }
    }

    /** For how many milliseconds the client is told to wait; 0 if the response cannot say it. */
    public static int of(ApiMessage response) {
        Field field = FIELDS.get(response.getClass());
        return field.getter == null ? 0 : (int) invoke(field.getter, response);
    }

    /** Tells the client for how many milliseconds it has to wait. */
    public static void set(ApiMessage response, int ms) {
        Field field = FIELDS.get(response.getClass());
        if (field.setter != null) {
            invoke(field.setter, response, ms);
        }
    }

    private static Object invoke(Method method, ApiMessage response, Object... arguments) {
        try {
            return method.invoke(response, arguments);
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(method + " of a message class fails", impossible);
        }
    }
}
