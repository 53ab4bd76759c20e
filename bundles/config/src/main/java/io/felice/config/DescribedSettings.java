package io.felice.config;

import io.felice.api.config.NodeSettings;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/** Reads the settings with their descriptions out of the metatype descriptors of the installed bundles. */
@Component
public final class DescribedSettings implements NodeSettings {
    private static final Logger log = LoggerFactory.getLogger(DescribedSettings.class);

    private final BundleContext context;
    private final Descriptors descriptors;

    @Activate
    public DescribedSettings(BundleContext context) {
        this.context = context;
        this.descriptors = new Descriptors(context);
    }

    @Override
    public List<Reader> readers() {
        Map<String, Reader> readers = new TreeMap<>();
        for (Bundle bundle : context.getBundles()) {
            String name = bundle.getSymbolicName();
            boolean isPlugin = Descriptors.isPlugin(bundle);
            if (name != null && (isPlugin || Descriptors.isOurs(name))) {
                for (URL descriptor : Descriptors.descriptors(bundle)) {
                    read(descriptor, name, isPlugin).forEach(reader -> readers.putIfAbsent(reader.pid(), reader));
                }
            }
        }
        return List.copyOf(readers.values());
    }

    @Override
    public Optional<Reader> reader(String pid) {
        return readers().stream().filter(reader -> reader.pid().equals(pid)).findFirst();
    }

    @Override
    public Map<String, String> objections(String pid, Map<String, String> values) {
        Map<String, Setting> settings = descriptors.of(pid);
        Map<String, String> objections = new TreeMap<>();
        values.forEach((key, value) -> {
            Setting setting = settings.get(key);
            if (setting == null) {
                objections.put(key, "a setting of " + pid);
            } else {
                setting.objection(value).ifPresent(expected -> objections.put(key, expected));
            }
        });
        return objections;
    }

    private static List<Reader> read(URL descriptor, String bundle, boolean isPlugin) {
        try (InputStream xml = descriptor.openStream()) {
            return read(xml, bundle, isPlugin);
        } catch (IOException | SAXException | ParserConfigurationException unreadable) {
            log.warn(
                    "The descriptor {} cannot be read, so its settings are not shown: {}",
                    descriptor,
                    unreadable.toString());
            return List.of();
        }
    }

    static List<Reader> read(InputStream xml, String bundle, boolean isPlugin)
            throws IOException, SAXException, ParserConfigurationException {
        Element root = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(xml)
                .getDocumentElement();
        Map<String, Element> described = new TreeMap<>();
        Descriptors.elements(root, "OCD").forEach(each -> described.put(each.getAttribute("id"), each));
        List<Reader> readers = new ArrayList<>();
        for (Element designate : Descriptors.elements(root, "Designate")) {
            String pid = designate.getAttribute("pid");
            for (Element object : Descriptors.elements(designate, "Object")) {
                Element ocd = described.get(object.getAttribute("ocdref"));
                if (ocd != null && !pid.isEmpty()) {
                    readers.add(new Reader(
                            pid,
                            ocd.getAttribute("name"),
                            ocd.getAttribute("description"),
                            bundle,
                            isPlugin,
                            Descriptors.elements(ocd, "AD").stream()
                                    .map(DescribedSettings::described)
                                    .toList()));
                }
            }
        }
        return readers;
    }

    private static Described described(Element setting) {
        String cardinality = setting.getAttribute("cardinality");
        return new Described(
                setting.getAttribute("id"),
                type(setting.getAttribute("type")),
                setting.getAttribute("description"),
                setting.hasAttribute("default")
                        ? setting.getAttribute("default").replace("\\,", ",")
                        : null,
                attribute(setting, "min"),
                attribute(setting, "max"),
                Descriptors.elements(setting, "Option").stream()
                        .map(option -> option.getAttribute("value"))
                        .toList(),
                !cardinality.isEmpty() && !cardinality.equals("0"));
    }

    private static String attribute(Element setting, String name) {
        String value = setting.getAttribute(name);
        return value.isEmpty() ? null : value;
    }

    private static Type type(String type) {
        return switch (type) {
            case "Integer", "Short", "Byte", "Long" -> Type.WHOLE_NUMBER;
            case "Double", "Float" -> Type.NUMBER;
            case "Boolean" -> Type.FLAG;
            default -> Type.TEXT;
        };
    }
}
