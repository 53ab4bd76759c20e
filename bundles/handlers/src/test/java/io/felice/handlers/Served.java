package io.felice.handlers;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestHandler;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * A handler that is found by its component descriptor and constructed with the given services, as Declarative Services
 * would.
 */
record Served(Api api, RequestHandler<ApiMessage, ApiMessage> handler) {
    short key() {
        return api.key();
    }

    short from() {
        return api.from();
    }

    short to() {
        return api.to();
    }

    static List<Served> all(Object... services) throws IOException, ReflectiveOperationException, URISyntaxException {
        URI classes = ProduceHandler.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI();
        List<Served> all = new ArrayList<>();
        try (DirectoryStream<Path> descriptors =
                Files.newDirectoryStream(Path.of(classes).resolve("OSGI-INF"), "*Handler.xml")) {
            for (Path descriptor : descriptors) {
                all.add(of(Files.readString(descriptor), services));
            }
        }
        all.sort(Comparator.comparing(Served::key));
        return all;
    }

    private static Served of(String descriptor, Object[] services) throws ReflectiveOperationException {
        Class<?> type = Class.forName(find(descriptor, "<implementation class=\"([^\"]+)\""));
        short key = Short.parseShort(find(descriptor, "name=\"felice.api.key\"[^>]* value=\"(\\d+)\""));
        return new Served(Apis.find(key).orElseThrow(), make(type, services));
    }

    private static String find(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + pattern + " in " + text);
        }
        return matcher.group(1);
    }

    @SuppressWarnings("unchecked")
    private static RequestHandler<ApiMessage, ApiMessage> make(Class<?> type, Object[] services)
            throws ReflectiveOperationException {
        Constructor<?> constructor = type.getConstructors()[0];
        Object[] arguments = Arrays.stream(constructor.getParameterTypes())
                .map(parameter -> argument(parameter, services))
                .toArray();
        return (RequestHandler<ApiMessage, ApiMessage>) constructor.newInstance(arguments);
    }

    private static Object argument(Class<?> parameter, Object[] services) {
        if (parameter.isAnnotation()) {
            return Proxy.newProxyInstance(
                    parameter.getClassLoader(),
                    new Class<?>[] {parameter},
                    (proxy, method, arguments) -> defaultOf(method));
        }
        return Arrays.stream(services)
                .filter(parameter::isInstance)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no " + parameter));
    }

    private static Object defaultOf(Method method) {
        return method.getDefaultValue();
    }
}
