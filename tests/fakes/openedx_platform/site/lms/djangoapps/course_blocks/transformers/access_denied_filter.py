class AccessDeniedMessageFilterTransformer:
    def transform(self, usage_info, block_structure):
        for key in list(block_structure):
            if block_structure.get_xblock_field(key, "authorization_denial_reason"):
                block_structure.remove_block(key, False)
