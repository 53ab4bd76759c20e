package io.felice.testkit;

import java.lang.reflect.Array;
import java.lang.reflect.Proxy;
import java.util.Map;

/** Makes the settings of a component as Declarative Services would, for tests that call its constructor. */
public final class TestSettings {
    private TestSettings() {}

    /**
     * Settings with these values, and with the defaults of the type for the rest.
     *
     * @param type the type of the component's settings, such as {@code Config}
     * @param values by name as in a file, for example {@code segment.bytes}; a text is converted to the type of the setting
     */
    public static <C> C of(Class<C> type, Map<String, Object> values) {
        return type.cast(typed(type, values));
    }

    /** An instance of a component property type with these properties. */
    static Object typed(Class<?> type, Map<String, Object> properties) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            if (method.getParameterCount() > 0 || method.getDeclaringClass() == Object.class) {
                return method.getName().equals("equals") ? proxy == arguments[0] : null;
            }
            return switch (method.getName()) {
                case "annotationType" -> type;
                case "toString" -> type.getSimpleName() + properties;
                case "hashCode" -> System.identityHashCode(proxy);
                default -> converted(
                        properties.getOrDefault(propertyName(method.getName()), method.getDefaultValue()),
                        method.getReturnType());
            };
        });
    }

    /** {@code segment_bytes} is {@code segment.bytes}, {@code a__b} is {@code a_b}. */
    private static String propertyName(String method) {
        return method.replace("__", "\0").replace('_', '.').replace('\0', '_');
    }

    private static Object converted(Object value, Class<?> type) {
        if (type.isArray() && value != null && !value.getClass().isArray()) {
            String[] items = value.toString().isEmpty()
                    ? new String[0]
                    : value.toString().split("\\s*,\\s*");
            Object array = Array.newInstance(type.getComponentType(), items.length);
            for (int i = 0; i < items.length; i++) {
                Array.set(array, i, converted(items[i], type.getComponentType()));
            }
            return array;
        }
        String text = String.valueOf(value);
        if (type == int.class) {
            return Integer.valueOf(text);
        } else if (type == long.class) {
            return Long.valueOf(text);
        } else if (type == short.class) {
            return Short.valueOf(text);
        } else if (type == boolean.class) {
            return Boolean.valueOf(text);
        } else if (type == double.class) {
            return Double.valueOf(text);
        } else if (type == String.class) {
            return value == null ? null : text;
        }
        return value;
    }
}
