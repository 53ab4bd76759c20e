package io.felice.controller;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/** Random values of declared types: records, collections, enums, numbers, texts. */
record RandomValues(Random random) {
    private static final int ATTEMPTS = 10_000;

    Object of(Type type) {
        return of(type, Map.of());
    }

    private Object of(Type type, Map<TypeVariable<?>, Supplier<Object>> variables) {
        if (type instanceof TypeVariable<?> variable) {
            return variables.get(variable).get();
        }
        if (type instanceof ParameterizedType generic) {
            List<Supplier<Object>> arguments = new ArrayList<>();
            for (Type argument : generic.getActualTypeArguments()) {
                arguments.add(() -> of(argument, variables));
            }
            return generic((Class<?>) generic.getRawType(), arguments);
        }
        return plain((Class<?>) type);
    }

    private Object generic(Class<?> raw, List<Supplier<Object>> arguments) {
        int size = random.nextInt(4);
        if (raw == List.class || raw == Set.class) {
            List<Object> elements = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                elements.add(arguments.get(0).get());
            }
            return raw == List.class ? elements : new HashSet<>(elements);
        } else if (raw == Optional.class) {
            return random.nextBoolean()
                    ? Optional.empty()
                    : Optional.of(arguments.get(0).get());
        } else if (raw == Map.class) {
            Map<Object, Object> entries = new HashMap<>();
            for (int i = 0; i < size; i++) {
                entries.put(arguments.get(0).get(), arguments.get(1).get());
            }
            return entries;
        }
        Map<TypeVariable<?>, Supplier<Object>> variables = new HashMap<>();
        for (int i = 0; i < arguments.size(); i++) {
            variables.put(raw.getTypeParameters()[i], arguments.get(i));
        }
        return record(raw, variables);
    }

    private Object plain(Class<?> type) {
        if (type == int.class || type == Integer.class) {
            return random.nextBoolean() ? random.nextInt(10) : random.nextInt();
        } else if (type == long.class || type == Long.class) {
            return random.nextBoolean() ? random.nextLong() : (long) random.nextInt(10) - 5;
        } else if (type == boolean.class || type == Boolean.class) {
            return random.nextBoolean();
        } else if (type == double.class || type == Double.class) {
            return random.nextGaussian() * 1e9;
        } else if (type == String.class) {
            return text();
        } else if (type == UUID.class) {
            return new UUID(random.nextLong(), random.nextLong());
        } else if (type == byte[].class) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            return bytes;
        } else if (type == Void.class) {
            return null;
        } else if (type.isEnum()) {
            Object[] constants = type.getEnumConstants();
            return constants[random.nextInt(constants.length)];
        }
        return record(type, Map.of());
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(12);
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(random.nextInt(5) == 0 ? 0x1F600 + random.nextInt(50) : 'a' + random.nextInt(26));
        }
        return text.toString();
    }

    /** Tries until the constructor accepts what it gets; every other text may be null. */
    private Object record(Class<?> type, Map<TypeVariable<?>, Supplier<Object>> variables) {
        RecordComponent[] components = type.getRecordComponents();
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                Object[] arguments = new Object[components.length];
                for (int i = 0; i < components.length; i++) {
                    boolean isNull = components[i].getType() == String.class && random.nextInt(4) == 0;
                    arguments[i] = isNull ? null : of(components[i].getGenericType(), variables);
                }
                try {
                    return constructor.newInstance(arguments);
                } catch (InvocationTargetException refused) {
                    // Another attempt may fit.
                }
            }
        } catch (ReflectiveOperationException broken) {
            throw new IllegalStateException(broken);
        }
        throw new IllegalStateException("no random " + type);
    }
}
