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
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * The settings of all installed bundles, read from the metatype descriptors that bnd generates from their
 * {@code @interface Config}. The broker has Kafka's broker settings as well. Any thread.
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
            if (pid.equals(bundle.getSymbolicName())) {
                settings.putAll(of(bundle, pid));
            }
        }
        if (pid.equals(BROKER)) {
            settings.putAll(BrokerKeys.settings());
        }
        return settings;
    }

    /** Reads a bundle again only if it was updated. */
    private Map<String, Setting> of(Bundle bundle, String pid) {
        long modified = bundle.getLastModified();
        Known before = known.get(bundle.getBundleId());
        if (before != null && before.modified() == modified) {
            return before.settings();
        }
        Map<String, Setting> settings = new TreeMap<>();
        descriptors(bundle).forEach(descriptor -> settings.putAll(read(descriptor, pid)));
        known.put(bundle.getBundleId(), new Known(modified, settings));
        return settings;
    }

    /** The settings of a bundle that was last modified at this time. */
    private record Known(long modified, Map<String, Setting> settings) {}

    @Override
    public List<String> pids() {
        List<String> pids = new ArrayList<>();
        for (Bundle bundle : context.getBundles()) {
            String name = bundle.getSymbolicName();
            if (name != null && name.startsWith(PREFIX)) {
                pids.add(name);
            }
        }
        return pids;
    }

    /** Does not use findEntries, because that would resolve the bundle, perhaps in the middle of a refresh. */
    private static List<URL> descriptors(Bundle bundle) {
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

    private static Map<String, Setting> read(URL descriptor, String pid) {
        try (InputStream xml = descriptor.openStream()) {
            return read(xml, pid);
        } catch (IOException | SAXException | ParserConfigurationException unreadable) {
            log.warn(
                    "The descriptor {} cannot be read, so the settings of its bundle are not checked: {}",
                    descriptor,
                    unreadable.toString());
            return Map.of();
        }
    }

    static Map<String, Setting> read(InputStream xml, String pid)
            throws IOException, SAXException, ParserConfigurationException {
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(xml);
        Map<String, Setting> settings = new TreeMap<>();
        if (elements(document, "Designate").stream()
                .anyMatch(designate -> designate.getAttribute("pid").equals(pid))) {
            elements(document, "AD").forEach(setting -> settings.put(setting.getAttribute("id"), of(setting)));
        }
        return settings;
    }

    private static List<Element> elements(Document document, String name) {
        NodeList nodes = document.getElementsByTagName(name);
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
            default -> new Setting(Kind.TEXT, null, null, isList);
        };
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
