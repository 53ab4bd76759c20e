package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.ForwardedRequests;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.ConfigResource;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The bytes of forwarded calls. */
class AdminCodecTest {
    private static final int RUNS = 50;
    private static final int GARBLED = 4_000;

    private final AdminCodec codec = new AdminCodec();

    @Test
    void everyCallOfAdminAndItsAnswerComeBackAsTheyWere() {
        Random random = random();
        RandomValues values = new RandomValues(random);
        for (Method method : calls()) {
            for (int run = 0; run < RUNS; run++) {
                List<Object> arguments = new ArrayList<>();
                for (Type type : method.getGenericParameterTypes()) {
                    arguments.add(values.of(type));
                }
                Object answer = values.of(answerOf(method));

                AdminCodec.Call call = codec.call(codec.request(method.getName(), arguments));
                Object answered = codec.answer(method.getName(), codec.answer(method.getName(), answer));

                assertThat(call.method()).isEqualTo(method.getName());
                assertThat(call.arguments()).isEqualTo(arguments);
                assertThat(answered).isEqualTo(answer);
            }
        }
        assertThat(codec.methods()).hasSameSizeAs(calls());
    }

    @Test
    void garbledBytesAreRefusedAndNeverCrash() {
        Random random = random();
        RandomValues values = new RandomValues(random);
        List<Method> calls = calls();
        int refused = 0;
        for (int run = 0; run < GARBLED; run++) {
            Method method = calls.get(random.nextInt(calls.size()));
            List<Object> arguments = Arrays.stream(method.getGenericParameterTypes())
                    .map(values::of)
                    .toList();
            byte[] bytes = codec.request(method.getName(), arguments);
            byte[] garbled = garbled(bytes, random);
            try {
                codec.call(garbled);
            } catch (FeliceException failure) {
                assertThat(failure.code()).isIn(ErrorCode.INVALID_REQUEST, ErrorCode.UNSUPPORTED_VERSION);
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(GARBLED / 4);
    }

    private static byte[] garbled(byte[] bytes, Random random) {
        byte[] garbled = Arrays.copyOf(bytes, random.nextBoolean() ? bytes.length : random.nextInt(bytes.length + 8));
        for (int i = 0; i <= random.nextInt(3) && garbled.length > 0; i++) {
            garbled[random.nextInt(garbled.length)] = (byte) random.nextInt();
        }
        return garbled;
    }

    @Test
    void aLengthThatIsMoreThanWhatIsLeftIsRefusedBeforeAnythingIsAllocated() {
        byte[] bytes = codec.request("deleteTopics", List.of(Set.of()));
        byte[] lying = Arrays.copyOf(bytes, bytes.length + 4);
        lying[bytes.length - 1] = (byte) 0xff;
        lying[bytes.length] = (byte) 0xff;
        lying[bytes.length + 1] = (byte) 0xff;
        lying[bytes.length + 2] = (byte) 0xff;
        lying[bytes.length + 3] = 0x07;

        assertCode(() -> codec.call(lying), ErrorCode.INVALID_REQUEST);
        assertCode(() -> codec.call(new byte[ForwardedRequests.LONGEST + 1]), ErrorCode.INVALID_REQUEST);
        assertCode(() -> codec.call(new byte[0]), ErrorCode.INVALID_REQUEST);
    }

    @Test
    void deeplyNestedValuesThatAreSkippedAreRefused() {
        ValueWriter out = new ValueWriter().raw(1);
        out.text("leave");
        out.list(3);
        out.number(1);
        out.number(1);
        for (int depth = 0; depth < 100_000; depth++) {
            out.list(1);
        }
        out.nothing();

        assertCode(() -> codec.call(out.done()), ErrorCode.INVALID_REQUEST);
    }

    @Test
    void aMethodThatTheControllerDoesNotKnowIsUnsupported() {
        ValueWriter out = new ValueWriter().raw(1);
        out.text("paintTopics");
        out.list(0);

        assertCode(() -> codec.call(out.done()), ErrorCode.UNSUPPORTED_VERSION);
    }

    @Test
    void anotherFormatIsUnsupported() {
        byte[] bytes = codec.request("leave", List.of(1, 1L));
        bytes[0] = 2;

        assertCode(() -> codec.call(bytes), ErrorCode.UNSUPPORTED_VERSION);
    }

    @Test
    void aNewerBrokerMaySendMoreArgumentsAndComponentsThanThisOneKnows() {
        ValueWriter out = new ValueWriter().raw(1);
        out.text("createTopics");
        out.list(3);
        out.list(1);
        out.fields(3);
        out.name("name");
        out.text("t");
        out.name("colours");
        out.map(1);
        out.text("red");
        out.fields(1);
        out.name("depth");
        out.real(0.5);
        out.name("partitions");
        out.number(3);
        out.number(1);
        out.text("more");

        AdminCodec.Call call = codec.call(out.done());

        assertThat(call.arguments()).isEqualTo(List.of(List.of(new NewTopic("t", 3, 0, Map.of(), Map.of())), true));
    }

    @Test
    void anOlderBrokerMaySendFewerArguments() {
        ValueWriter out = new ValueWriter().raw(1);
        out.text("alterConfigs");
        out.list(0);

        assertThat(codec.call(out.done()).arguments()).isEqualTo(List.of(Map.of(), false));
    }

    @Test
    void aConstantThatIsNotKnownIsUnsupportedUnlessItIsAnError() {
        ValueWriter out = new ValueWriter().raw(1);
        out.fields(1);
        out.name("outcomes");
        out.map(1);
        out.text("t");
        out.fields(1);
        out.name("error");
        out.text("TOO_MANY_COOKS");
        @SuppressWarnings("unchecked")
        Decided<String, Void> answer = (Decided<String, Void>) codec.answer("createPartitions", out.done());

        byte[] changes = codec.request(
                "alterConfigs",
                List.of(
                        Map.of(
                                ConfigResource.topic("t"),
                                List.of(new ConfigChange("k", ConfigChange.Operation.APPEND, "v"))),
                        false));
        String text = new String(changes, java.nio.charset.StandardCharsets.ISO_8859_1).replace("APPEND", "PREPEN");

        assertThat(answer.outcomes())
                .isEqualTo(Map.of("t", new Outcome<Void>(null, ErrorCode.UNKNOWN_SERVER_ERROR, null)));
        assertCode(
                () -> codec.call(text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)),
                ErrorCode.UNSUPPORTED_VERSION);
    }

    private static List<Method> calls() {
        return Stream.of(Admin.class.getMethods())
                .filter(method ->
                        !Set.of("controllerId", "controllerSince", "askedBy").contains(method.getName()))
                .toList();
    }

    private static Type answerOf(Method method) {
        assertThat(method.getReturnType()).isEqualTo(CompletionStage.class);
        return ((ParameterizedType) method.getGenericReturnType()).getActualTypeArguments()[0];
    }

    private static Random random() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("seed " + seed + " (repeat with -Dfelice.seed=" + seed + ")");
        return new Random(seed);
    }

    private static void assertCode(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, ErrorCode code) {
        assertThatThrownBy(call).isInstanceOfSatisfying(FeliceException.class, failure -> assertThat(failure.code())
                .isEqualTo(code));
    }
}
