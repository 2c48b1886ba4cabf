"""Who does what when: async or plain, without a toolkit."""
