package io.felice.config;

import io.felice.config.Setting.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * The settings of all bundles of Felice and of all plugins, read from the metatype descriptors that bnd generates from
 * their {@code @interface Config}. A plugin is a bundle that imports a package of Felice; it may read any PIDs. The broker
 * has Kafka's broker settings as well. Any thread.
 */
final class Descriptors implements KnownSettings {
    static final String PREFIX = "io.felice.";
    private static final String BROKER = "io.felice.broker";
    private static final String DIRECTORY = "OSGI-INF/metatype";

    private static final Logger log = LoggerFactory.getLogger(Descriptors.class);

    private final BundleContext context;
    private final Map<Long, Known> known = new ConcurrentHashMap<>();

    Descriptors(BundleContext context) {
        this.context = context;
    }

    @Override
    public Map<String, Setting> of(String pid) {
        Map<String, Setting> settings = new TreeMap<>();
        for (Bundle bundle : context.getBundles()) {
            if (isOurs(pid) ? pid.equals(bundle.getSymbolicName()) : isPlugin(bundle)) {
                settings.putAll(of(bundle).getOrDefault(pid, Map.of()));
            }
        }
        if (pid.equals(BROKER)) {
            settings.putAll(BrokerKeys.settings());
        }
        return settings;
    }

    /** True for the PIDs of Felice's bundles; false for those of plugins and of the platform. */
    static boolean isOurs(String pid) {
        return pid.startsWith(PREFIX);
    }

    /** The platform's bundles check their settings themselves, or do not. */
    static boolean isPlugin(Bundle bundle) {
        String name = bundle.getSymbolicName();
        String imports = bundle.getHeaders("").get(Constants.IMPORT_PACKAGE);
        return name != null && !isOurs(name) && imports != null && imports.contains(PREFIX);
    }

    /** The settings of a bundle by PID. Reads a bundle again only if it was updated. */
    private Map<String, Map<String, Setting>> of(Bundle bundle) {
        long modified = bundle.getLastModified();
        Known before = known.get(bundle.getBundleId());
        if (before != null && before.modified() == modified) {
            return before.settings();
        }
        Map<String, Map<String, Setting>> settings = new TreeMap<>();
        descriptors(bundle).forEach(descriptor -> settings.putAll(read(descriptor)));
        known.put(bundle.getBundleId(), new Known(modified, settings));
        return settings;
    }

    /** The settings, by PID, of a bundle that was last modified at this time. */
    private record Known(long modified, Map<String, Map<String, Setting>> settings) {}

    @Override
    public List<String> pids() {
        List<String> pids = new ArrayList<>();
        for (Bundle bundle : context.getBundles()) {
            String name = bundle.getSymbolicName();
            if (name != null && isOurs(name)) {
                pids.add(name);
            }
        }
        return pids;
    }

    /** Does not use findEntries, because that would resolve the bundle, perhaps in the middle of a refresh. */
    static List<URL> descriptors(Bundle bundle) {
        try {
            var paths = bundle.getEntryPaths(DIRECTORY);
            return paths == null
                    ? List.of()
                    : Collections.list(paths).stream()
                            .filter(path -> path.endsWith(".xml"))
                            .map(bundle::getEntry)
                            .toList();
        } catch (IllegalStateException uninstalled) {
            return List.of();
        }
    }

    private static Map<String, Map<String, Setting>> read(URL descriptor) {
        try (InputStream xml = descriptor.openStream()) {
            return read(xml);
        } catch (IOException | SAXException | ParserConfigurationException | IllegalArgumentException unreadable) {
            log.warn(
                    "The descriptor {} cannot be read, so the settings of its bundle are not checked: {}",
                    descriptor,
                    unreadable.toString());
            return Map.of();
        }
    }

    /** The settings by PID; those of a component with several configurations by its factory PID. */
    static Map<String, Map<String, Setting>> read(InputStream xml)
            throws IOException, SAXException, ParserConfigurationException {
        Element root = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(xml)
                .getDocumentElement();
        Map<String, Map<String, Setting>> byClass = new TreeMap<>();
        for (Element described : elements(root, "OCD")) {
            Map<String, Setting> settings = new TreeMap<>();
            elements(described, "AD").forEach(setting -> settings.put(setting.getAttribute("id"), of(setting)));
            byClass.put(described.getAttribute("id"), settings);
        }
        Map<String, Map<String, Setting>> byPid = new TreeMap<>();
        for (Element designate : elements(root, "Designate")) {
            String factory = designate.getAttribute("factoryPid");
            String pid = factory.isEmpty() ? designate.getAttribute("pid") : factory;
            for (Element object : elements(designate, "Object")) {
                byPid.computeIfAbsent(pid, first -> new TreeMap<>())
                        .putAll(byClass.getOrDefault(object.getAttribute("ocdref"), Map.of()));
            }
        }
        return byPid;
    }

    static List<Element> elements(Element parent, String name) {
        NodeList nodes = parent.getElementsByTagName(name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static Setting of(Element described) {
        String cardinality = described.getAttribute("cardinality");
        boolean isList = !cardinality.isEmpty() && !cardinality.equals("0");
        return switch (described.getAttribute("type")) {
            case "Integer" -> number(Kind.WHOLE_NUMBER, described, Integer.MIN_VALUE, Integer.MAX_VALUE, isList);
            case "Short" -> number(Kind.WHOLE_NUMBER, described, Short.MIN_VALUE, Short.MAX_VALUE, isList);
            case "Byte" -> number(Kind.WHOLE_NUMBER, described, Byte.MIN_VALUE, Byte.MAX_VALUE, isList);
            case "Long" -> number(Kind.WHOLE_NUMBER, described, Long.MIN_VALUE, Long.MAX_VALUE, isList);
            case "Double", "Float" -> number(Kind.NUMBER, described, Long.MIN_VALUE, Long.MAX_VALUE, isList);
            case "Boolean" -> new Setting(Kind.FLAG, null, null, isList);
            default -> isList ? new Setting(Kind.TEXT, null, null, true) : text(described);
        };
    }

    private static Setting text(Element described) {
        List<String> options = elements(described, "Option").stream()
                .map(option -> option.getAttribute("value"))
                .toList();
        return options.isEmpty()
                ? Setting.text()
                : Setting.text(text -> options.contains(text)
                        ? Optional.empty()
                        : Optional.of("one of " + String.join(", ", options)));
    }

    private static Setting number(Kind kind, Element described, long least, long most, boolean isList) {
        String min = described.getAttribute("min");
        String max = described.getAttribute("max");
        return new Setting(
                kind,
                min.isEmpty() ? BigDecimal.valueOf(least) : new BigDecimal(min),
                max.isEmpty() ? BigDecimal.valueOf(most) : new BigDecimal(max),
                isList);
    }
}
