package io.felice.controller;

import io.felice.api.ErrorCode;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * How the values of a declared type are written and read. A record is written by the names of its components: a reader
 * skips a name that it does not know, and takes null, 0 or an empty collection for one that is missing.
 */
interface Shape {
    /** @param value may be null */
    void write(Object value, ValueWriter out);

    /** @throws io.felice.api.FeliceException INVALID_REQUEST, or UNSUPPORTED_VERSION for an enum constant that is not known */
    Object read(ValueReader in);

    /** The value of a component that is missing, and of a null that the type does not have. */
    default Object missing() {
        return null;
    }

    /** @throws IllegalStateException if the type cannot be written */
    static Shape of(Type type) {
        return of(type, Map.of());
    }

    private static Shape of(Type type, Map<TypeVariable<?>, Shape> variables) {
        if (type instanceof TypeVariable<?> variable && variables.containsKey(variable)) {
            return variables.get(variable);
        }
        if (type instanceof ParameterizedType generic) {
            List<Shape> arguments = new ArrayList<>();
            for (Type argument : generic.getActualTypeArguments()) {
                arguments.add(of(argument, variables));
            }
            return generic((Class<?>) generic.getRawType(), arguments);
        }
        if (type instanceof Class<?> plain) {
            return plain(plain);
        }
        throw new IllegalStateException("no bytes for the type " + type);
    }

    private static Shape generic(Class<?> type, List<Shape> arguments) {
        if (type == List.class) {
            return new Elements(arguments.get(0), ArrayList::new);
        } else if (type == Set.class) {
            return new Elements(arguments.get(0), LinkedHashSet::new);
        } else if (type == Optional.class) {
            return new Maybe(arguments.get(0));
        } else if (type == Map.class) {
            return new Entries(arguments.get(0), arguments.get(1));
        } else if (type.isRecord()) {
            return record(type, arguments);
        }
        throw new IllegalStateException("no bytes for the type " + type);
    }

    private static Shape plain(Class<?> type) {
        if (type == int.class || type == Integer.class) {
            return new Whole(type, Integer.MIN_VALUE, Integer.MAX_VALUE);
        } else if (type == long.class || type == Long.class) {
            return new Whole(type, Long.MIN_VALUE, Long.MAX_VALUE);
        } else if (type == boolean.class || type == Boolean.class) {
            return new Whole(type, 0, 1);
        } else if (type == double.class || type == Double.class) {
            return new Real(type);
        } else if (type == String.class || type == UUID.class || type == byte[].class || type.isEnum()) {
            return new Bytes(type);
        } else if (type == Void.class) {
            return new Nothing();
        } else if (type.isRecord()) {
            return record(type, List.of());
        }
        throw new IllegalStateException("no bytes for the type " + type);
    }

    private static Shape record(Class<?> type, List<Shape> arguments) {
        Map<TypeVariable<?>, Shape> variables = new HashMap<>();
        for (int i = 0; i < arguments.size(); i++) {
            variables.put(type.getTypeParameters()[i], arguments.get(i));
        }
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Map<String, Component> byName = new LinkedHashMap<>();
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            Shape shape = of(components[i].getGenericType(), variables);
            byName.put(components[i].getName(), new Component(i, components[i].getAccessor(), shape));
        }
        try {
            return new Fields(type.getDeclaredConstructor(types), byName);
        } catch (NoSuchMethodException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Whole numbers and booleans. */
    record Whole(Class<?> type, long min, long max) implements Shape {
        @Override
        public void write(Object value, ValueWriter out) {
            if (value == null) {
                out.nothing();
            } else if (value instanceof Boolean is) {
                out.number(is ? 1 : 0);
            } else {
                out.number(((Number) value).longValue());
            }
        }

        @Override
        public Object read(ValueReader in) {
            if (!in.begins(ValueWriter.NUMBER)) {
                return missing();
            }
            long value = in.number();
            if (value < min || value > max) {
                throw ValueReader.malformed("the number " + value + " is out of range");
            }
            return boxed(value);
        }

        @Override
        public Object missing() {
            return type.isPrimitive() ? boxed(0) : null;
        }

        private Object boxed(long value) {
            if (type == boolean.class || type == Boolean.class) {
                return value == 1;
            }
            return type == int.class || type == Integer.class ? (Object) (int) value : (Object) value;
        }
    }

    /** Floating-point numbers. */
    record Real(Class<?> type) implements Shape {
        @Override
        public void write(Object value, ValueWriter out) {
            if (value == null) {
                out.nothing();
            } else {
                out.real((Double) value);
            }
        }

        @Override
        public Object read(ValueReader in) {
            return in.begins(ValueWriter.DOUBLE) ? in.real() : missing();
        }

        @Override
        public Object missing() {
            return type.isPrimitive() ? 0.0 : null;
        }
    }

    /** Strings, byte arrays, UUIDs, and enums by their names. */
    record Bytes(Class<?> type) implements Shape {
        private static final int UUID_BYTES = 16;

        @Override
        public void write(Object value, ValueWriter out) {
            if (value == null) {
                out.nothing();
            } else if (value instanceof byte[] bytes) {
                out.bytes(bytes);
            } else if (value instanceof UUID id) {
                out.bytes(ByteBuffer.allocate(UUID_BYTES)
                        .putLong(id.getMostSignificantBits())
                        .putLong(id.getLeastSignificantBits())
                        .array());
            } else {
                out.text(value instanceof Enum<?> constant ? constant.name() : (String) value);
            }
        }

        @Override
        public Object read(ValueReader in) {
            if (!in.begins(ValueWriter.BYTES)) {
                return null;
            } else if (type == byte[].class) {
                return in.bytes();
            } else if (type == String.class) {
                return in.text();
            }
            return type == UUID.class ? id(in.bytes()) : constant(in.text());
        }

        private static UUID id(byte[] bytes) {
            if (bytes.length != UUID_BYTES) {
                throw ValueReader.malformed("a UUID has " + bytes.length + " bytes");
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            return new UUID(buffer.getLong(), buffer.getLong());
        }

        private Object constant(String name) {
            for (Object constant : type.getEnumConstants()) {
                if (((Enum<?>) constant).name().equals(name)) {
                    return constant;
                }
            }
            if (type == ErrorCode.class) {
                return ErrorCode.UNKNOWN_SERVER_ERROR;
            }
            throw ErrorCode.UNSUPPORTED_VERSION.because(
                    "This version of Felice does not know the " + type.getSimpleName() + " of a forwarded request.");
        }
    }

    /** The value of an outcome that has none. */
    record Nothing() implements Shape {
        @Override
        public void write(Object value, ValueWriter out) {
            out.nothing();
        }

        @Override
        public Object read(ValueReader in) {
            in.skip();
            return null;
        }
    }

    /** Lists and sets. */
    record Elements(Shape element, java.util.function.Supplier<Collection<Object>> empty) implements Shape {
        @Override
        public void write(Object value, ValueWriter out) {
            if (value == null) {
                out.nothing();
                return;
            }
            Collection<?> elements = (Collection<?>) value;
            out.list(elements.size());
            elements.forEach(each -> element.write(each, out));
        }

        @Override
        public Object read(ValueReader in) {
            Collection<Object> elements = empty.get();
            int count = in.begins(ValueWriter.LIST) ? in.count() : 0;
            for (int i = 0; i < count; i++) {
                elements.add(element.read(in));
            }
            return elements;
        }

        @Override
        public Object missing() {
            return empty.get();
        }
    }

    /** Optionals, as lists with at most one value. */
    record Maybe(Shape element) implements Shape {
        @Override
        public void write(Object value, ValueWriter out) {
            Optional<?> maybe = value == null ? Optional.empty() : (Optional<?>) value;
            out.list(maybe.isPresent() ? 1 : 0);
            maybe.ifPresent(present -> element.write(present, out));
        }

        @Override
        public Object read(ValueReader in) {
            int count = in.begins(ValueWriter.LIST) ? in.count() : 0;
            if (count > 1) {
                throw ValueReader.malformed("an optional has " + count + " values");
            }
            return count == 0 ? Optional.empty() : Optional.ofNullable(element.read(in));
        }

        @Override
        public Object missing() {
            return Optional.empty();
        }
    }

    /** Maps. */
    record Entries(Shape key, Shape value) implements Shape {
        @Override
        public void write(Object map, ValueWriter out) {
            if (map == null) {
                out.nothing();
                return;
            }
            Map<?, ?> entries = (Map<?, ?>) map;
            out.map(entries.size());
            entries.forEach((k, v) -> {
                key.write(k, out);
                value.write(v, out);
            });
        }

        @Override
        public Object read(ValueReader in) {
            Map<Object, Object> entries = new LinkedHashMap<>();
            int count = in.begins(ValueWriter.MAP) ? in.count() : 0;
            for (int i = 0; i < count; i++) {
                Object k = key.read(in);
                entries.put(k, value.read(in));
            }
            return entries;
        }

        @Override
        public Object missing() {
            return new LinkedHashMap<>();
        }
    }

    /** A component of a record. */
    record Component(int index, Method accessor, Shape shape) {}

    /** Records. */
    record Fields(Constructor<?> constructor, Map<String, Component> components) implements Shape {
        @Override
        public void write(Object value, ValueWriter out) {
            if (value == null) {
                out.nothing();
                return;
            }
            out.fields(components.size());
            components.forEach((name, component) -> {
                out.name(name);
                component.shape().write(of(component, value), out);
            });
        }

        private static Object of(Component component, Object value) {
            try {
                return component.accessor().invoke(value);
            } catch (ReflectiveOperationException impossible) {
                throw new IllegalStateException(impossible);
            }
        }

        @Override
        public Object read(ValueReader in) {
            if (!in.begins(ValueWriter.RECORD)) {
                return null;
            }
            Object[] arguments = new Object[components.size()];
            components
                    .values()
                    .forEach(component ->
                            arguments[component.index()] = component.shape().missing());
            int count = in.count();
            for (int i = 0; i < count; i++) {
                Component component = components.get(in.name());
                if (component == null) {
                    in.skip();
                } else {
                    arguments[component.index()] = component.shape().read(in);
                }
            }
            return made(arguments);
        }

        private Object made(Object[] arguments) {
            try {
                return constructor.newInstance(arguments);
            } catch (InvocationTargetException refused) {
                throw ValueReader.malformed(
                        "a " + constructor.getDeclaringClass().getSimpleName() + " is not one");
            } catch (ReflectiveOperationException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }
}
