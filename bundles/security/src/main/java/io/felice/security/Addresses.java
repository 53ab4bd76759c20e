package io.felice.security;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** The one text of an address, by which ACLs and quotas are found. An IPv6 address can be written in many ways. */
final class Addresses {
    private Addresses() {}

    /** The text of an address; any other text stays as it is. No name is looked up. */
    static String canonical(String text) {
        try {
            return text.contains(":") ? textOf(InetAddress.getByName("[" + text + "]")) : text;
        } catch (UnknownHostException noAddress) {
            return text;
        }
    }

    /** Without the scope, which is a network interface of this node. */
    static String textOf(InetAddress address) {
        String text = address.getHostAddress();
        int scope = text.indexOf('%');
        return scope < 0 ? text : text.substring(0, scope);
    }
}
