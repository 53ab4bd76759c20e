package io.felice.plugins;

import io.felice.api.plugin.ProvidedExtension;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * What a descriptor of Declarative Services says about a component.
 *
 * @param pids the configurations that it reads
 * @param needsConfiguration true if it is not activated without one
 */
record ComponentFile(String name, List<ProvidedExtension> provides, List<String> pids, boolean needsConfiguration) {

    /** The components of one file, which may have more than one. */
    static List<ComponentFile> read(byte[] xml) throws IOException, SAXException {
        List<ComponentFile> components = new ArrayList<>();
        for (Element each : elements(parse(xml), "component")) {
            components.add(of(each));
        }
        return components;
    }

    private static ComponentFile of(Element component) {
        Map<String, String> properties = new HashMap<>();
        for (Element property : elements(component, "property")) {
            String value = property.hasAttribute("value") ? property.getAttribute("value") : firstLine(property);
            properties.put(property.getAttribute("name"), value);
        }
        List<ProvidedExtension> provides = new ArrayList<>();
        for (Element provided : elements(component, "provide")) {
            String interfaceName = provided.getAttribute("interface");
            if (ExtensionKinds.isExtension(interfaceName)) {
                provides.add(ExtensionKinds.of(interfaceName, properties::get));
            }
        }
        String name = component.hasAttribute("name")
                ? component.getAttribute("name")
                : elements(component, "implementation").stream()
                        .findFirst()
                        .map(implementation -> implementation.getAttribute("class"))
                        .orElse("");
        return new ComponentFile(
                name,
                provides,
                pids(component, name),
                component.getAttribute("configuration-policy").equals("require"));
    }

    private static List<String> pids(Element component, String name) {
        if (component.getAttribute("configuration-policy").equals("ignore")) {
            return List.of();
        }
        String pids = component.getAttribute("configuration-pid");
        return pids.isBlank()
                ? List.of(name)
                : List.of(pids.trim().replace("$", name).split("\\s+"));
    }

    private static String firstLine(Element property) {
        return property.getTextContent().strip().lines().findFirst().orElse("").strip();
    }

    /** The keys without a default of each configuration that a file of OSGI-INF/metatype describes, by PID. */
    static Map<String, List<String>> requiredKeys(byte[] metatype) throws IOException, SAXException {
        Document document = parse(metatype);
        Map<String, List<String>> byDefinition = new HashMap<>();
        for (Element definition : elements(document, "OCD")) {
            byDefinition.put(
                    definition.getAttribute("id"),
                    elements(definition, "AD").stream()
                            .filter(key -> !key.hasAttribute("default")
                                    && !key.getAttribute("required").equals("false"))
                            .map(key -> key.getAttribute("id"))
                            .toList());
        }
        Map<String, List<String>> byPid = new HashMap<>();
        for (Element designate : elements(document, "Designate")) {
            String pid = designate.getAttribute(designate.hasAttribute("pid") ? "pid" : "factoryPid");
            for (Element object : elements(designate, "Object")) {
                byPid.put(pid, byDefinition.getOrDefault(object.getAttribute("ocdref"), List.of()));
            }
        }
        return byPid;
    }

    /** Without document types: they could read files of the node or grow without a bound. */
    private static Document parse(byte[] xml) throws IOException, SAXException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://javax.xml.XMLConstants/feature/secure-processing", true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            factory.setNamespaceAware(true);
            return factory.newDocumentBuilder().parse(new ByteArrayInputStream(xml));
        } catch (ParserConfigurationException noSuchParser) {
            throw new IllegalStateException(noSuchParser);
        }
    }

    private static List<Element> elements(Document in, String name) {
        return list(in.getElementsByTagNameNS("*", name));
    }

    private static List<Element> elements(Element in, String name) {
        return list(in.getElementsByTagNameNS("*", name));
    }

    private static List<Element> list(NodeList nodes) {
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }
}
