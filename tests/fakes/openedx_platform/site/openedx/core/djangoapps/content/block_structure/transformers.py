class BlockStructureTransformers:
    def __init__(self, transformers=None, usage_info=None):
        self.usage_info = usage_info
        self._transformers = list(transformers or ())

    def transform(self, block_structure):
        for transformer in self._transformers:
            transformer.transform(self.usage_info, block_structure)
        block_structure.prune_unreachable()
