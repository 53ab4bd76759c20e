package io.felice.handlers;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;

/** Lets a request ask for everything in its lists once more under other names. */
final class TwiceRequest {
    private TwiceRequest() {}

    /** @param rename gives the other name of a String or Uuid, or the value itself if it keeps it */
    static ApiMessage of(ApiMessage request, UnaryOperator<Object> rename) throws IllegalAccessException {
        for (Field field : fields(request)) {
            if (field.get(request) instanceof Collection<?> items) {
                List<Object> others = new ArrayList<>();
                for (Object item : items) {
                    Object other = renamed(item, rename);
                    if (!other.equals(item)) {
                        others.add(other);
                    }
                }
                append(request, field, others);
            }
        }
        return request;
    }

    @SuppressWarnings("unchecked")
    private static void append(Object request, Field field, List<Object> others) throws IllegalAccessException {
        if (field.getType() == List.class) {
            List<Object> all = new ArrayList<>((List<Object>) field.get(request));
            all.addAll(others);
            field.set(request, all);
        } else {
            ((Collection<Object>) field.get(request)).addAll(others);
        }
    }

    private static Object renamed(Object item, UnaryOperator<Object> rename) throws IllegalAccessException {
        if (!(item instanceof Message message)) {
            return rename.apply(item);
        }
        Message copy = message.duplicate();
        for (Field field : fields(copy)) {
            Object value = field.get(copy);
            if (value instanceof List<?> list) {
                List<Object> renamed = new ArrayList<>();
                for (Object one : list) {
                    renamed.add(renamed(one, rename));
                }
                field.set(copy, renamed);
            } else if (value != null) {
                field.set(copy, rename.apply(value));
            }
        }
        return copy;
    }

    private static List<Field> fields(Object message) {
        List<Field> fields = new ArrayList<>();
        for (Field field : message.getClass().getDeclaredFields()) {
            boolean ofData = !Modifier.isStatic(field.getModifiers())
                    && !field.getType().isPrimitive()
                    && !field.getName().startsWith("_");
            if (ofData) {
                field.setAccessible(true);
                fields.add(field);
            }
        }
        return fields;
    }
}
