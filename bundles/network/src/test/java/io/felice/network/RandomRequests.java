package io.felice.network;

import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Requests of every API with random contents, made of the message classes of kafka-clients. */
final class RandomRequests {
    private static final int DEEPEST = 4;

    private final Random random;

    RandomRequests(Random random) {
        this.random = random;
    }

    /** A frame with its length field. Fields that this version does not have keep their defaults. */
    byte[] frame(ApiMessageType api, short version, int correlationId) {
        try {
            return TestClient.frame(api.apiKey(), version, correlationId, (ApiMessage) fill(api.newRequest(), 0));
        } catch (RuntimeException notInThisVersion) {
            return TestClient.frame(api.apiKey(), version, correlationId, api.newRequest());
        }
    }

    private Message fill(Message message, int depth) {
        for (Method setter : message.getClass().getMethods()) {
            if (setter.getName().startsWith("set") && setter.getParameterCount() == 1 && random.nextInt(4) > 0) {
                set(message, setter, depth);
            }
        }
        return message;
    }

    private void set(Message message, Method setter, int depth) {
        try {
            Object value = value(setter.getGenericParameterTypes()[0], setter.getParameterTypes()[0], depth);
            if (value != null) {
                setter.invoke(message, value);
            }
        } catch (ReflectiveOperationException unfit) {
            throw new IllegalStateException(unfit);
        }
    }

    private Object value(Type type, Class<?> raw, int depth) throws ReflectiveOperationException {
        if (raw == boolean.class) {
            return random.nextBoolean();
        } else if (raw == byte.class) {
            return (byte) random.nextInt(3);
        } else if (raw == short.class || raw == Short.class) {
            return (short) random.nextInt(100);
        } else if (raw == int.class || raw == Integer.class) {
            return random.nextInt();
        } else if (raw == long.class || raw == Long.class) {
            return random.nextLong();
        } else if (raw == double.class) {
            return random.nextDouble();
        } else if (raw == String.class) {
            return "s".repeat(random.nextInt(30));
        } else if (raw == byte[].class) {
            return bytes();
        } else if (raw == ByteBuffer.class) {
            return ByteBuffer.wrap(bytes());
        } else if (raw == Uuid.class) {
            return new Uuid(random.nextLong(), random.nextLong());
        } else if (BaseRecords.class.isAssignableFrom(raw)) {
            return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
        } else if (raw == List.class) {
            return list(((ParameterizedType) type).getActualTypeArguments()[0], depth);
        } else if (Collection.class.isAssignableFrom(raw)) {
            return collection(raw, depth);
        } else if (Message.class.isAssignableFrom(raw)) {
            return fill((Message) raw.getDeclaredConstructor().newInstance(), depth + 1);
        }
        return null;
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(200)];
        random.nextBytes(bytes);
        return bytes;
    }

    private List<Object> list(Type of, int depth) throws ReflectiveOperationException {
        List<Object> list = new ArrayList<>();
        for (int i = depth > DEEPEST ? 0 : random.nextInt(4); i > 0; i--) {
            list.add(value(of, of instanceof Class<?> raw ? raw : List.class, depth + 1));
        }
        return list;
    }

    private Object collection(Class<?> raw, int depth) throws ReflectiveOperationException {
        Collection<Object> all = emptyCollection(raw);
        Type element = ((ParameterizedType) raw.getGenericSuperclass()).getActualTypeArguments()[0];
        for (int i = depth > DEEPEST ? 0 : random.nextInt(4); i > 0; i--) {
            all.add(value(element, (Class<?>) element, depth + 1));
        }
        return all;
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> emptyCollection(Class<?> raw) throws ReflectiveOperationException {
        return (Collection<Object>) raw.getDeclaredConstructor().newInstance();
    }
}
