package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ForwardedRequests;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;

/**
 * The bytes of a call of {@link Admin} and of its answer: the declared types of the method say what is written
 * ({@link Shape}). Brokers of different versions understand each other as far as both know a method, an argument or a
 * component of a record. Immutable; any thread.
 *
 * <pre>
 * request  version (one byte), name of the method, list of the arguments
 * answer   version (one byte), value
 * </pre>
 */
final class AdminCodec {
    private static final int VERSION = 1;

    private final Map<String, Form> forms = new TreeMap<>();

    /** @throws IllegalStateException if a method cannot be written */
    AdminCodec() {
        for (Method method : Admin.class.getMethods()) {
            if (method.getReturnType() == CompletionStage.class) {
                Form form = Form.of(method);
                if (forms.putIfAbsent(method.getName(), form) != null) {
                    throw new IllegalStateException("two methods of Admin are called " + method.getName());
                }
            }
        }
    }

    /** How the arguments and the answer of a method are written. */
    private record Form(Method method, List<Shape> arguments, Shape answer) {
        static Form of(Method method) {
            List<Shape> arguments = new ArrayList<>();
            for (Type type : method.getGenericParameterTypes()) {
                arguments.add(Shape.of(type));
            }
            Type answer = ((ParameterizedType) method.getGenericReturnType()).getActualTypeArguments()[0];
            return new Form(method, arguments, Shape.of(answer));
        }
    }

    /** The names of the methods. */
    Iterable<String> methods() {
        return forms.keySet();
    }

    /** @throws io.felice.api.FeliceException INVALID_REQUEST if there are too many bytes */
    byte[] request(String method, List<?> arguments) {
        Form form = forms.get(method);
        ValueWriter out = new ValueWriter().raw(VERSION);
        out.text(method);
        out.list(arguments.size());
        for (int i = 0; i < arguments.size(); i++) {
            form.arguments().get(i).write(arguments.get(i), out);
        }
        return bounded(out.done());
    }

    byte[] answer(String method, Object answer) {
        ValueWriter out = new ValueWriter().raw(VERSION);
        forms.get(method).answer().write(answer, out);
        return bounded(out.done());
    }

    Object answer(String method, byte[] bytes) {
        return ValueReader.all(bytes, in -> {
            checkVersion(in);
            return forms.get(method).answer().read(in);
        });
    }

    /** A call that was read from bytes. */
    final class Call {
        private final Form form;
        private final List<Object> arguments;

        private Call(Form form, List<Object> arguments) {
            this.form = form;
            this.arguments = arguments;
        }

        String method() {
            return form.method().getName();
        }

        List<Object> arguments() {
            return arguments;
        }

        /** The stage of the answer in bytes. */
        CompletionStage<byte[]> of(Admin admin) {
            try {
                CompletionStage<?> stage = (CompletionStage<?>) form.method().invoke(admin, arguments.toArray());
                return stage.thenApply(answer -> answer(method(), answer));
            } catch (InvocationTargetException | IllegalAccessException broken) {
                throw ErrorCode.INVALID_REQUEST.because(
                        "A forwarded call of " + method() + " cannot be decided.", broken);
            }
        }
    }

    /**
     * @throws io.felice.api.FeliceException INVALID_REQUEST if the bytes are no call, UNSUPPORTED_VERSION if this version
     *     of Felice does not know the method
     */
    Call call(byte[] request) {
        return ValueReader.all(bounded(request), in -> {
            checkVersion(in);
            String method = in.begins(ValueWriter.BYTES) ? in.text() : "";
            Form form = forms.get(method);
            if (form == null) {
                throw ErrorCode.UNSUPPORTED_VERSION.because(
                        "The controller's version of Felice does not know a request of this broker's version.");
            }
            return new Call(form, arguments(form, in));
        });
    }

    private static List<Object> arguments(Form form, ValueReader in) {
        int count = in.begins(ValueWriter.LIST) ? in.count() : 0;
        List<Object> arguments = new ArrayList<>();
        for (Shape shape : form.arguments()) {
            arguments.add(arguments.size() < count ? shape.read(in) : shape.missing());
        }
        for (int i = arguments.size(); i < count; i++) {
            in.skip();
        }
        return arguments;
    }

    private static void checkVersion(ValueReader in) {
        int version = in.raw();
        if (version != VERSION) {
            throw ErrorCode.UNSUPPORTED_VERSION.because(
                    "A forwarded request has the format version " + version + ", which this version does not know.");
        }
    }

    private static byte[] bounded(byte[] bytes) {
        if (bytes.length > ForwardedRequests.LONGEST) {
            throw ErrorCode.INVALID_REQUEST.because("A request of " + bytes.length
                    + " bytes is too large to be passed on to the controller; at most " + ForwardedRequests.LONGEST
                    + " are.");
        }
        return bytes;
    }
}
