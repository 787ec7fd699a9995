int lwip_node_dummy;
