"""The Shopify adapter: reads snapshots, performs actions and reads webhooks through the Admin GraphQL API. No rule of ours."""
