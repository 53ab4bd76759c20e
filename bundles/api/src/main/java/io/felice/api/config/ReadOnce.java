package io.felice.api.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.slf4j.LoggerFactory;

/**
 * Warns the operator of changed settings that a component reads only when it is created. Such a component has a method
 * with {@code @Modified} that calls {@link #compare}. Without that method, Declarative Services would create the
 * component again, and with it all its state, whenever its file is written. Any thread.
 */
public final class ReadOnce {
    private ReadOnce() {}

    /**
     * Logs a warning for each setting that differs, to the logger with the name of the bundle.
     *
     * @param bundle the symbolic name of the bundle, which is also the PID
     * @param type the {@code @interface Config} of the component
     * @param inForce the settings with which the component was created
     * @param wanted the settings in the file now
     * @param live the keys that the component applies at once, for which there is no warning
     */
    public static <C> void compare(String bundle, Class<C> type, C inForce, C wanted, Set<String> live) {
        for (String difference : differences(type, inForce, wanted, live)) {
            LoggerFactory.getLogger(bundle)
                    .warn(
                            "{}.cfg: {} when the bundle is started again: felice exec bundle:restart {}",
                            bundle,
                            difference,
                            bundle);
        }
    }

    static <C> List<String> differences(Class<C> type, C inForce, C wanted, Set<String> live) {
        List<String> sentences = new ArrayList<>();
        for (Method setting : settings(type)) {
            String key = setting.getName().replace('_', '.');
            Object before = value(setting, inForce);
            Object now = value(setting, wanted);
            if (!live.contains(key) && !Objects.deepEquals(before, now)) {
                sentences.add(key + " stays " + text(before) + " and becomes " + text(now));
            }
        }
        return sentences;
    }

    private static List<Method> settings(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> method.getParameterCount() == 0)
                .sorted(Comparator.comparing(Method::getName))
                .toList();
    }

    private static Object value(Method setting, Object config) {
        try {
            return setting.invoke(config);
        } catch (IllegalAccessException | InvocationTargetException impossible) {
            throw new IllegalStateException(setting + " cannot be read", impossible);
        }
    }

    private static String text(Object value) {
        return value instanceof Object[] several ? Arrays.toString(several) : "\"" + value + "\"";
    }
}
