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
 * For settings that a component reads only when it is made: tells the operator which of them were changed in the file but
 * not in the node. A component with such settings takes part in changes ({@code @Modified}) so that it is not made anew,
 * with all that it holds, whenever its file is touched. Any thread.
 */
public final class ReadOnce {
    private ReadOnce() {}

    /**
     * Logs one sentence for every setting that differs, to the logger that is named as the bundle.
     *
     * @param bundle its symbolic name, which is the PID as well
     * @param type the component's {@code Config}
     * @param inForce what the component was made with
     * @param wanted what the file says now
     * @param live the keys that are in force at once, and so are no matter
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
